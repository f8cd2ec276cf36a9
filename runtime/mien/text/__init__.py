"""Text as pictures: cleaned, shaped and set in lines by Pango, drawn by cairo."""
