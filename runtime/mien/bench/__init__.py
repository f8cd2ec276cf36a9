"""Benchmarks of the running system, observed from outside the services: bus, client socket, /proc, frame trace."""
