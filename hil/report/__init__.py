"""Results of a run, as JSON for machines and as one HTML page for people."""
