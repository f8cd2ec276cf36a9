"""LiveKit Agents: a session speaks through mien. In an agent of yours only the lines with MienAvatar are new."""

import asyncio
import subprocess
from collections.abc import AsyncIterator

from livekit import rtc
from livekit.agents import Agent, AgentSession

from mien.adapters.livekit import MienAvatar

RATE_HZ = 22050
GREETING = "Good morning. How may I help you?"


async def synthesized(text: str) -> AsyncIterator[rtc.AudioFrame]:
    """The speech of espeak-ng, in place of a TTS plugin."""
    command = ["espeak-ng", "--stdout", text]
    pcm = (await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)).stdout[44:]
    for start in range(0, len(pcm), 2 * RATE_HZ // 50):
        chunk = pcm[start : start + 2 * RATE_HZ // 50]
        yield rtc.AudioFrame(chunk, RATE_HZ, 1, len(chunk) // 2)


async def main() -> None:
    session = AgentSession()  # an agent of yours passes stt=, llm=, tts=, and start() a room
    await session.start(agent=Agent(instructions="You are the desk of a museum."))
    avatar = MienAvatar()
    await avatar.start(session)
    handle = session.say(GREETING, audio=synthesized(GREETING))
    await handle.wait_for_playout()  # until it was heard
    print("interrupted" if handle.interrupted else "heard", flush=True)
    await avatar.aclose()
    await session.aclose()


asyncio.run(main())
