"""Pure arithmetic on captured pictures and sound: no rig, no clock, no files."""
