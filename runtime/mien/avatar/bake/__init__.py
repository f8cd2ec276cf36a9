"""Baking avatars from glTF scenes: desktop tools, which a board does without."""
