"""Poses in, pictures out: one contract (base), one file a backend."""
