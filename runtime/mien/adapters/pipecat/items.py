"""What waits on a segment's line."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from pipecat.frames.frames import Frame, OutputAudioRawFrame


class SpeechBegins(NamedTuple):
    """The start of an audio frame."""

    frame: OutputAudioRawFrame


class Chunk(NamedTuple):
    """The end of an audio frame that covers start_ms..end_ms of its segment."""

    frame: OutputAudioRawFrame
    start_ms: float
    end_ms: float


class Between(NamedTuple):
    """A frame that came between the audio."""

    frame: Frame


class Timed(NamedTuple):
    """A frame with a time of its own."""

    frame: Frame


Item: TypeAlias = SpeechBegins | Chunk | Between | Timed
