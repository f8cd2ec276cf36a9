"""Makes the motion model from Debian packages and TTS engines; run.sh is the one command."""
