"""Sound out: one contract (base), one file a backend, and the resampler."""
