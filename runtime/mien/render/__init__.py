"""Rendering of poses: one contract (base), one module per backend."""
