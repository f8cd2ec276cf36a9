"""mien-link: a client of the voice that reports to a broker and takes commands from it."""
