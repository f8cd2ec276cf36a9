"""WAV as it comes, from a file, bytes or a pipe: header first, then frames, then mono s16le at a wanted rate.

RIFF/WAVE as in Microsoft's "Multimedia Programming Interface and Data Specifications 1.0" (1991) and, for
WAVE_FORMAT_EXTENSIBLE, "Multiple channel audio data and WAVE files" (2001).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TypeAlias

from mien.errors import ClientError

WavSource: TypeAlias = str | Path | bytes | BinaryIO

_PCM: Final = 1
_FLOAT: Final = 3
_EXTENSIBLE: Final = 0xFFFE
_CODECS: Final = {2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 0x55: "MP3"}
# What programs that stream write, who do not know the length: then the data goes on to the end.
_UNKNOWN_LENGTH: Final = 0x7FFF_F000
_READ_BYTES: Final = 8192
_MAX_FORMAT_BYTES: Final = 1024


class WavFormat(NamedTuple):
    """What a header says. bits: of one sample; floating: IEEE floats instead of integers."""

    rate_hz: int
    channels: int
    bits: int
    floating: bool

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8

    @property
    def is_mono_s16(self) -> bool:
        return (self.channels, self.bits, self.floating) == (1, 16, False)


class WavReader:
    """Reads a WAV from a source that may be a pipe.

    source: a path, a whole file's bytes, or a binary file; what was opened here is closed by close(). Raises
    ClientError (bad_wav) when it is no WAV, or one in a coding that is not read.
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
        """Whole frames in the file's own format, as they come. A frame that is cut off at the end is left out."""
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
        """Close what was opened here."""
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

    def _read_header(self) -> tuple[WavFormat, int]:
        """Go through the chunks up to the data. Returns the format and the data's length in bytes."""
        riff = self._read_exactly(12)
        if riff[:4] not in (b"RIFF", b"RF64") or riff[8:] != b"WAVE":
            raise self._bad(f"is not a WAV file: it begins with {riff[:4]!r}, not with b'RIFF'")
        found: WavFormat | None = None
        while True:
            name, size = struct.unpack("<4sI", self._read_exactly(8))
            if name == b"data":
                if found is None:
                    raise self._bad("has data before its format")
                return found, 1 << 62 if size == 0 or size >= _UNKNOWN_LENGTH else size
            if name == b"fmt ":
                found = self._parse_format(self._read_exactly(min(size, _MAX_FORMAT_BYTES)))
                size -= min(size, _MAX_FORMAT_BYTES)
            self._skip(size + size % 2)

    def _parse_format(self, data: bytes) -> WavFormat:
        if len(data) < 16:
            raise self._bad(f"has a format of {len(data)} bytes; 16 are the least")
        code, channels, rate_hz, _, block, bits = struct.unpack_from("<HHIIHH", data)
        if code == _EXTENSIBLE and len(data) >= 26:
            code = struct.unpack_from("<H", data, 24)[0]
        fmt = WavFormat(rate_hz, channels, bits, code == _FLOAT)
        if code not in (_PCM, _FLOAT):
            raise self._bad(
                f"is coded as {_CODECS.get(code, f'format {code}')}; make it PCM: "
                "ffmpeg -i IN.wav -c:a pcm_s16le OUT.wav"
            )
        if not 1 <= channels <= 64 or not 1000 <= rate_hz <= 384_000 or block != fmt.frame_bytes:
            raise self._bad(f"has an impossible format: {channels} channels, {rate_hz} Hz, {block} bytes a frame")
        if bits not in ((32, 64) if fmt.floating else (8, 16, 24, 32)):
            raise self._bad(f"has samples of {bits} bits, which are not read")
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
        """At most `size` bytes, as soon as there are any; nothing at the end."""
        read1 = getattr(self._file, "read1", None)
        return (read1 or self._file.read)(size) or b""

    def _bad(self, what: str) -> ClientError:
        return ClientError(f"{self._name} {what}", code="bad_wav", retryable=False)


def wav_chunks(source: WavSource | WavReader, rate_hz: int) -> Iterator[bytes]:
    """A WAV as mono s16le at rate_hz, in chunks as they come. Raises ClientError (bad_wav)."""
    reader = source if isinstance(source, WavReader) else WavReader(source)
    return _converted(reader, rate_hz)


def _converted(reader: WavReader, rate_hz: int) -> Iterator[bytes]:
    # Where nothing is to be converted, neither numpy nor soxr is loaded.
    from mien.client.convert import MonoConverter

    try:
        converter = MonoConverter(reader.format, rate_hz)
        for block in reader.blocks():
            yield converter.convert(block)
        yield converter.flush()
    finally:
        reader.close()
