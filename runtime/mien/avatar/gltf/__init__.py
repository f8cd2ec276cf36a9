"""Reading glTF files (.glb, .gltf, .vrm): desktop tools, which a board does without."""
