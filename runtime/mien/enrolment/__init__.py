"""Setting up a fleet: keys, the broker's configuration, what a board needs."""
