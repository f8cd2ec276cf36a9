"""The adapters that the benchmark knows, with the sizes of its script."""

from typing import Final

ADAPTERS: Final = ("client", "livekit", "livekit_room", "pipecat", "wyoming", "realtime", "http")
SEGMENTS: Final = 200
QUICK: Final = 30
