"""The life of a visit, from somebody's arrival until all is forgotten."""
