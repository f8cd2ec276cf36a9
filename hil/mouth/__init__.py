"""The mouth of a rig: it speaks into the board's microphone, which also hears the board's own speaker through a room."""
