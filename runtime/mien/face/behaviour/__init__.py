"""Behaviour of the face: one kind of movement per module, each a pure function of time, state and seed."""
