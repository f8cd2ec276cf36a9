"""What a face does by itself: each file one kind of movement, a pure function of time, state and a seed."""
