"""The rig: sees the screen, hears the speaker, pulls the plug; the same tests on an emulated board and on a bench."""
