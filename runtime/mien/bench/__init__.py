"""Measurements of the running system, from outside the two services: the bus, the client's socket, /proc, the trace."""
