"""mien-voice: owns the network socket and the sound card, and knows to the millisecond what was heard."""
