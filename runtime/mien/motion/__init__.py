"""Speech in, facial motion out: one contract (base), one file a backend, and the features they share."""
