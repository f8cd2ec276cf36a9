"""Converts interleaved int16 of any format to mono s16le at one rate."""

from __future__ import annotations

from mien.client.audio import MonoConverter, SampleFormat


class MonoStream:
    """Converts one segment's audio, block by block. Its format may change between blocks.

    Channels are mixed by their mean. Samples that are mono at rate_hz already pass unchanged.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._format: SampleFormat | None = None
        self._converter: MonoConverter | None = None

    def convert(self, block: bytes, rate_hz: int, channels: int) -> bytes:
        """Whole frames as mono; may return nothing yet, while the resampler fills. An incomplete frame is dropped."""
        fmt = SampleFormat(rate_hz, channels, 16, False)
        before = b""
        if fmt != self._format:
            before = self.flush()
            self._format, self._converter = fmt, MonoConverter(fmt, self._rate_hz)
        assert self._converter is not None
        return before + self._converter.convert(block[: len(block) - len(block) % fmt.frame_bytes])

    def flush(self) -> bytes:
        """What the resampler still holds; the next block begins anew."""
        rest = b"" if self._converter is None else self._converter.flush()
        self._format = self._converter = None
        return rest
