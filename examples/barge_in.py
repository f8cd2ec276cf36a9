"""Barge-in: stop in mid-sentence when the user speaks (here: presses Enter), and learn the last word that was heard."""

import re
import subprocess
import sys

from mien.client import connect

RATE_HZ = 22050
ANSWER = "Our opening hours are nine to five from Monday to Friday, ten to four on Saturdays, and never on a Sunday."

speech = subprocess.run(["espeak-ng", "--stdout", ANSWER], capture_output=True, check=True).stdout
pcm = speech[44:]  # without the WAV header: s16le mono

# Many TTS services return word times. espeak-ng's output has none: spread the words by their length.
ms_per_letter = len(pcm) / 2 / RATE_HZ * 1000 / len(ANSWER)
starts_ms = [round(match.start() * ms_per_letter) for match in re.finditer(r"\S+", ANSWER)]
ends_ms = [*starts_ms[1:], round(len(ANSWER) * ms_per_letter)]
words = list(zip(ANSWER.split(), starts_ms, ends_ms, strict=True))

with connect(name="barge-in", rate_hz=RATE_HZ) as voice:
    voice.state("thinking")
    turn = voice.turn()
    turn.caption(ANSWER, words)
    turn.write(pcm)
    turn.end()
    print("speaking; press Enter to interrupt", flush=True)
    sys.stdin.readline()
    voice.interrupt()  # returns once the speaker is silent
    voice.state("listening")
    heard = turn.wait()
print(f"{heard.reason}: {heard.played_ms:.0f} ms and {heard.words_heard} words heard, the last one {heard.last_word!r}")
