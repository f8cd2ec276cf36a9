"""The mouth of a rig: it speaks into the board's microphone, which hears the board's own speaker, too."""
