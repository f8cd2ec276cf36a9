"""The log of visits: a JSON line each, without recordings."""
