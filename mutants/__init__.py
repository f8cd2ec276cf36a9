"""Mutation testing (make mutants): insert one bug at a time, see whether a test notices. See README.md."""
