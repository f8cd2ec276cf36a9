"""mien-voice: owns the network socket, owns the sound card, knows to the millisecond what was heard."""
