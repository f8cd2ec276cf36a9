"""Answers: a contract, its engines."""
