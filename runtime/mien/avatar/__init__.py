"""Avatar files: the baked format that a board memory-maps (baked, check, load), and its desktop tools (gltf, bake)."""
