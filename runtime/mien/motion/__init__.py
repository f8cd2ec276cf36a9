"""Facial motion from speech: one contract (base), one file for each backend, shared features."""
