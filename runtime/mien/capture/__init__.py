"""Microphones: one contract (base.py), one file per backend."""
