"""Reads a WAV from the body of a request while it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import BinaryIO, Final, cast

from aiohttp import StreamReader

from mien.client.audio import MonoConverter
from mien.client.wav import WavReader
from mien.errors import ClientError

IDLE_S: Final = 30.0  # a body that stands still for so long has ended
MOST_HEADER_BYTES: Final = 65536  # a WAV may carry a picture and texts before its sound


async def wav_chunks_of(body: StreamReader, rate_hz: int) -> AsyncIterator[bytes]:
    """The sound as mono s16le at rate_hz, as it arrives. Raises ClientError (bad_wav).

    Without threads, because each change of threads delays the first sound.
    """
    feed = _Feed()
    wav = await _read_header(body, feed)
    converter, frame = MonoConverter(wav.format, rate_hz), wav.format.frame_bytes
    rest = feed.take()
    while True:
        whole = len(rest) - len(rest) % frame
        feed.give(rest[:whole])
        for block in wav.blocks():
            yield converter.convert(block)
        data = await _read(body)
        if not data:
            break
        rest = rest[whole:] + data
    yield converter.flush()


async def _read_header(body: StreamReader, feed: _Feed) -> WavReader:
    """Read until the sound begins."""
    head = b""
    while True:
        data = await _read(body)
        head += data
        feed.take()
        feed.give(head)
        try:
            return WavReader(cast("BinaryIO", feed))
        except ClientError:
            if not data or len(head) > MOST_HEADER_BYTES or not _is_riff(head):
                raise


async def _read(body: StreamReader) -> bytes:
    try:
        async with asyncio.timeout(IDLE_S):
            data: bytes = await body.readany()
            return data
    except TimeoutError:
        return b""


class _Feed:
    """Bytes as a file that ends wherever they end for now."""

    def __init__(self) -> None:
        self._data = b""

    def give(self, data: bytes) -> None:
        self._data += data

    def take(self) -> bytes:
        """All that was not read."""
        data, self._data = self._data, b""
        return data

    def read1(self, size: int) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data


def _is_riff(head: bytes) -> bool:
    """Whether this may be the beginning of a WAV."""
    return any(name.startswith(head[:4]) for name in (b"RIFF", b"RF64"))
