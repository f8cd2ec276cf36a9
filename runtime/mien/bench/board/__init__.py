"""`mien bench board`: the figures of one board in one file, which anyone can publish."""
