"""Text rendering: cleaning, shaping, layout, drawing, by Pango with cairo."""
