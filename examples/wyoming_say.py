"""Announce a sentence on a kiosk as Home Assistant does, and learn when it was heard. Needs `mien wyoming`."""

import asyncio
import subprocess
import sys
import time

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.snd import Played
from wyoming.tts import Synthesize


async def main(text: str, host: str = "127.0.0.1", port: str = "10700") -> None:
    wav = subprocess.run(["espeak-ng", "--stdout", text], stdout=subprocess.PIPE, check=True).stdout
    async with AsyncTcpClient(host, int(port)) as kiosk:
        await kiosk.write_event(Synthesize(text=text).event())  # for the caption
        await kiosk.write_event(AudioStart(22050, 2, 1).event())
        began_s = time.monotonic()
        await kiosk.write_event(AudioChunk(22050, 2, 1, wav[44:]).event())
        await kiosk.write_event(AudioStop().event())
        while (event := await kiosk.read_event()) and not Played.is_type(event.type):
            pass
    print(f"played: {(time.monotonic() - began_s) * 1000:.0f} ms after it was sent")


asyncio.run(main(*sys.argv[1:] or ["Good morning"]))
