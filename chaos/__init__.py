"""A seeded adversary against the real processes of mien, and the oracles that watch them. See README.md here."""
