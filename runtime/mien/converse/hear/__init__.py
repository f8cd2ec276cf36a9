"""Speech recognition: a contract, its engines."""
