"""Speak one sentence, then print how much of it was heard: python examples/say.py "Good morning" """

import subprocess
import sys

from mien.client import connect

text = sys.argv[1] if len(sys.argv) > 1 else "Good morning! How may I help?"
speech = subprocess.run(["espeak-ng", "--stdout", text], capture_output=True, check=True).stdout

with connect(name="say") as voice:
    voice.emotion("happy", 0.6)
    heard = voice.say_wav(speech)
print(f"{heard.reason}: {heard.played_ms:.0f} ms heard at the speaker")
