"""Parameters of the transports."""

from pathlib import Path

from pipecat.transports.base_transport import TransportParams

from mien.adapters.guide import LANGUAGE
from mien.adapters.heard.speaker import AHEAD_MS
from mien.client import AsyncClient, connect_async
from mien.core.wire import RATES_HZ


class MienParams(TransportParams):
    """Pipecat's parameters, and where the voice is.

    endpoint, key, voice_key: as for mien.client.connect(). client_name: what mien's logs call the bot. ahead_ms: how
    far speech is written ahead of the speaker. vad: whether the ear's own detection of speech is pushed as
    VADUserStartedSpeakingFrame and VADUserStoppedSpeakingFrame, in place of a VAD of the pipeline. language: of the
    bot's speech, for lips that its text guides; None leaves them to the sound. relay: whether the bot takes what a
    supervisor relays, as MienRelayedFrame.
    """

    endpoint: str | None = None
    key: str | Path | None = None
    voice_key: str | Path | None = None
    client_name: str = "pipecat"
    ahead_ms: float = AHEAD_MS
    vad: bool = False
    relay: bool = False
    language: str | None = LANGUAGE
    audio_out_enabled: bool = True
    audio_in_enabled: bool = True
    audio_out_10ms_chunks: int = 2  # half of Pipecat's: the first sound waits for a whole chunk

    async def connect(self, rate_hz: int, suffix: str = "", capabilities: tuple[str, ...] = ()) -> AsyncClient:
        """Open a session with the voice. Raises ClientError, ConfigError."""
        return await connect_async(
            self.endpoint,
            rate_hz=rate_hz,
            name=f"{self.client_name}{suffix}",
            key=self.key,
            voice_key=self.voice_key,
            capabilities=capabilities,
        )


def spoken_rate(rate_hz: int) -> int:
    """The rate itself if the voice accepts it, else the next higher one, else the highest."""
    return min((rate for rate in RATES_HZ if rate >= rate_hz), default=max(RATES_HZ))
