"""Pure logic on plain data, shared by every floor above: no sockets, threads, files or wall clocks."""
