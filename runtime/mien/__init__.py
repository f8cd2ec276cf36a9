"""mien gives a voice agent a face on the kiosk itself."""

__version__ = "0.1.0"
