"""Chaos testing: a seeded adversary against mien's real processes, watched by oracles. See README.md."""
