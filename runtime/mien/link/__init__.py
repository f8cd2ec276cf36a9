"""mien-link: a client of the voice that joins it to a broker."""
