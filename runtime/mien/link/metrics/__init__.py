"""Prometheus metrics of a board, as text for a scrape or for node_exporter's textfile collector."""
