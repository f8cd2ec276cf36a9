"""Reads WAV from a file, from bytes, or from a pipe while it fills, as mono s16le at a given rate.

RIFF/WAVE as in Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (1991) and, for
WAVE_FORMAT_EXTENSIBLE, "Multiple channel audio data and WAVE files" (2001).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from mien.client.audio import MonoConverter, SampleFormat
from mien.errors import ClientError

WavSource: TypeAlias = str | Path | bytes | BinaryIO

_PCM: Final = 1
_FLOAT: Final = 3
_EXTENSIBLE: Final = 0xFFFE
_CODECS: Final = {2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 0x55: "MP3"}
# Programs that stream do not know the length and write a value from here up: the data then runs to the end of file.
_UNKNOWN_LENGTH: Final = 0x7FFF_F000
_READ_BYTES: Final = 8192
_MAX_FORMAT_BYTES: Final = 1024


class WavReader:
    """Reads a WAV from a source that may be a pipe.

    source: a path, a whole file's bytes, or a binary file; close() closes only what was opened here. Raises ClientError
    (bad_wav) when the source is not a WAV or uses an unsupported codec.
    """

    def __init__(self, source: WavSource) -> None:
        self._name = str(source) if isinstance(source, str | Path) else "the WAV data"
        self._file, self._owned = self._open(source)
        try:
            self.format, self._left = self._read_header()
        except BaseException:
            self.close()
            raise

    def blocks(self) -> Iterator[bytes]:
        """Whole frames in the file's own format, as they arrive. An incomplete frame at the end is dropped."""
        rest = b""
        frame = self.format.frame_bytes
        while self._left > 0 and (data := self._read_some(min(_READ_BYTES, self._left))):
            self._left -= len(data)
            data = rest + data
            whole = len(data) - len(data) % frame
            rest = data[whole:]
            if whole:
                yield data[:whole]

    def close(self) -> None:
        """Close the file if this reader opened it."""
        if self._owned:
            self._file.close()

    def _open(self, source: WavSource) -> tuple[BinaryIO, bool]:
        if isinstance(source, bytes | bytearray | memoryview):
            return io.BytesIO(source), True
        if not isinstance(source, str | Path):
            return source, False
        try:
            return Path(source).open("rb"), True
        except OSError as error:
            raise self._bad(f"cannot be opened: {error.strerror}") from None

    def _read_header(self) -> tuple[SampleFormat, int]:
        """Read the chunks before the data. Returns the format and the length of the data in bytes."""
        riff = self._read_exactly(12)
        if riff[:4] not in (b"RIFF", b"RF64") or riff[8:] != b"WAVE":
            raise self._bad(f"is not a WAV file: it begins with {riff[:4]!r}, not with b'RIFF'")
        found: SampleFormat | None = None
        while True:
            name, size = struct.unpack("<4sI", self._read_exactly(8))
            if name == b"data":
                if found is None:
                    raise self._bad("has its data chunk before its fmt chunk")
                return found, 1 << 62 if size == 0 or size >= _UNKNOWN_LENGTH else size
            padded = size + size % 2
            if name == b"fmt ":
                taken = min(size, _MAX_FORMAT_BYTES)
                found = self._parse_format(self._read_exactly(taken))
                padded -= taken
            self._skip(padded)

    def _parse_format(self, data: bytes) -> SampleFormat:
        if len(data) < 16:
            raise self._bad(f"has a fmt chunk of {len(data)} bytes; the minimum is 16")
        code, channels, rate_hz, _, block, bits = struct.unpack_from("<HHIIHH", data)
        if code == _EXTENSIBLE and len(data) >= 26:
            code = struct.unpack_from("<H", data, 24)[0]
        fmt = SampleFormat(rate_hz, channels, bits, code == _FLOAT)
        if code not in (_PCM, _FLOAT):
            raise self._bad(
                f"is encoded as {_CODECS.get(code, f'format {code}')}; convert it to PCM: "
                "ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav"
            )
        if not 1 <= channels <= 64 or not 1000 <= rate_hz <= 384_000 or block != fmt.frame_bytes:
            raise self._bad(f"has an impossible format: {channels} channels, {rate_hz} Hz, {block} bytes a frame")
        if bits not in ((32, 64) if fmt.floating else (8, 16, 24, 32)):
            raise self._bad(f"has samples of {bits} bits, which are not supported")
        return fmt

    def _skip(self, size: int) -> None:
        while size > 0:
            size -= len(self._read_exactly(min(size, _READ_BYTES)))

    def _read_exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._read_some(size - len(data))
            if not more:
                raise self._bad("is cut off before its data")
            data += more
        return data

    def _read_some(self, size: int) -> bytes:
        """At most `size` bytes, as soon as any are available; empty at the end."""
        read1 = getattr(self._file, "read1", None)
        return (read1 or self._file.read)(size) or b""

    def _bad(self, what: str) -> ClientError:
        return ClientError(f"{self._name} {what}", code="bad_wav", retryable=False)


def wav_chunks(source: WavSource | WavReader, rate_hz: int) -> Iterator[bytes]:
    """A WAV as mono s16le at rate_hz, in chunks as they arrive. Raises ClientError (bad_wav)."""
    reader = source if isinstance(source, WavReader) else WavReader(source)
    return _converted(reader, rate_hz)


def _converted(reader: WavReader, rate_hz: int) -> Iterator[bytes]:
    try:
        converter = MonoConverter(reader.format, rate_hz)
        for block in reader.blocks():
            yield converter.convert(block)
        yield converter.flush()
    finally:
        reader.close()
