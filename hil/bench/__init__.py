"""A real board on a bench: HDMI capture, line-in recording, switched power, an SD mux, a serial console."""
