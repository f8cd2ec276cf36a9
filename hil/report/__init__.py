"""What a run found, as JSON for machines and one HTML page for people."""
