"""Overlay on the face: captions, status line, signs."""
