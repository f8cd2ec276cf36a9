"""Speech synthesis: a contract, its engines."""
