"""make mutants: bugs put in on purpose, one at a time, and whether a test notices. See mutants/README.md."""
