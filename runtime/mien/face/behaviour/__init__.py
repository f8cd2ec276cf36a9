"""Behaviour of the face: one kind of movement per module, a pure function of time, state, seed."""
