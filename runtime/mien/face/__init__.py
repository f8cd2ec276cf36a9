"""mien-face: owns the screen and the motion model."""
