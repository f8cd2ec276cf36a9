"""Text rendering: cleaning, shaping and layout by Pango, drawing by cairo."""
