"""What is laid over the face: captions, the status line and the signs."""
