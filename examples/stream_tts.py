"""Stream a TTS: each chunk is sent as soon as it is synthesized, and playback starts with the first one."""

import asyncio
from collections.abc import AsyncIterator

from mien.client import connect_async

RATE_HZ = 22050  # what espeak-ng synthesizes; mien resamples
WAV_HEADER_BYTES = 44
SENTENCES = ("The first sentence is already audible.", "The second one is synthesized in the meantime.")


async def synthesize(text: str) -> AsyncIterator[bytes]:
    """Raw s16le mono, chunk by chunk, as a TTS service would return it."""
    tts = await asyncio.create_subprocess_exec("espeak-ng", "--stdout", text, stdout=asyncio.subprocess.PIPE)
    assert tts.stdout is not None
    await tts.stdout.readexactly(WAV_HEADER_BYTES)
    while chunk := await tts.stdout.read(4096):
        yield chunk
    await tts.wait()


async def main() -> None:
    async with connect_async(name="stream", rate_hz=RATE_HZ) as voice:
        async with voice.turn() as turn:
            await turn.caption(" ".join(SENTENCES))
            for sentence in SENTENCES:
                async for chunk in synthesize(sentence):
                    await turn.write(chunk)  # waits while the voice's buffer is full
        heard = await turn.wait()
        print(f"{heard.reason}: {heard.played_ms:.0f} of {turn.sent_ms:.0f} ms heard")


asyncio.run(main())
