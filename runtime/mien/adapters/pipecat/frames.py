"""The frames that only mien's transport sends."""

from dataclasses import dataclass

from pipecat.frames.frames import SystemFrame

from mien.client import Relayed


@dataclass
class MienSegmentFinishedFrame(SystemFrame):
    """How a TTS context ended; pushed both ways, exactly once for each TTSStartedFrame that reached the transport.

    context_id: of the TTS context. played_ms: heard at the speaker, by the sound card's clock. interrupted: whether it
    was cut off. reason: played, interrupted, taken_over, sink_lost, shutdown, or lost when mien-voice went away.
    """

    context_id: str | None = None
    played_ms: float = 0.0
    interrupted: bool = False
    reason: str = "played"


@dataclass
class MienRelayedFrame(SystemFrame):
    """What a supervisor relays to the bot; pushed both ways, with MienParams.relay.

    relayed: its kind is say, whisper or note; with its text and its sender. MienOutputTransport.relay_done answers it.
    """

    relayed: Relayed | None = None
