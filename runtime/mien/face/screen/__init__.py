"""When the screen is bright, dim or dark: quiet hours, silence, presence. Pure."""
