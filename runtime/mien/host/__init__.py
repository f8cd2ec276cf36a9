"""What mien needs from the machine it runs on: its clock, its service manager, its memory, its run directory."""
