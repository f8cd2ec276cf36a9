"""The avatar generator: a control cage on a sculpted head, subdivided, shaped, dressed and painted. Centimetres."""
