"""Pure analysis of captured frames and sound: no rig, no clock, no files."""
