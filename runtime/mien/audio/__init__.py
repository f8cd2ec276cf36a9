"""Audio output: one contract (base), one module per backend, plus resampling."""
