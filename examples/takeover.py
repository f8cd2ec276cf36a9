"""Takeover: a human agent speaks through the same face while the bot's turns wait, then gives the floor back."""

import subprocess

from mien.client import connect

TEXT = "Hello, this is Ada from the front desk. I am sending somebody over right now."
speech = subprocess.run(["espeak-ng", "--stdout", TEXT], capture_output=True, check=True).stdout

with connect(name="Ada", role="agent") as agent:
    agent.take_floor("hold")  # what the bot is saying fades out; its later turns wait
    try:
        heard = agent.say_wav(speech)
    finally:
        agent.release_floor()  # the bot's turns that waited are heard now
print(f"{heard.reason}: {heard.played_ms:.0f} ms heard")
