"""Benchmark of the adapters: a seeded script through each framework's own interface, against what was really heard."""
