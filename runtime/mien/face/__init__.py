"""mien-face: motion inference, rendering, the screen."""
