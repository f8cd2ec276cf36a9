"""Hardware-in-the-loop rig: capture screen and sound, cut power; the same tests on emulated boards and on a bench."""
