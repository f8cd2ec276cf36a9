"""The avatar generator: from a sculpted head with a control cage to a complete mesh. Units are centimetres."""
