"""Avatar files: the baked format that a board maps into memory, and what makes it."""
