"""mien gives a voice agent a face on the kiosk itself."""

__version__ = "0.2.0"  # the one place: the wheel, the image and the releases read it from here
