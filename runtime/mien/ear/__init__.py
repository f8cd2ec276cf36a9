"""mien-ear: the microphone, cleaned of the kiosk's own speech."""
