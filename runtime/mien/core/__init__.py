"""Pure logic and plain data that every floor above shares: no sockets, threads, files or wall clocks."""
