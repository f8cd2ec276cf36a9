"""Avatar files. A board needs baked, check, load; the packages gltf, bake are desktop tools."""
