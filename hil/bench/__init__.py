"""A real board on a bench: HDMI capture, a sound card as the ear, switched power, a switched SD card, a serial line."""
