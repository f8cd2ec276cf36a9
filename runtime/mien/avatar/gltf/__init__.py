"""Reading GLB, glTF and VRM files: desktop tools, which a board does without."""
