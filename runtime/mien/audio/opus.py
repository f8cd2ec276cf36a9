"""Opus through libopus (Debian's libopus0): a minimal ctypes binding for speech.

Constants and signatures are those of opus.h and opus_defines.h, libopus 1.3 (BSD; the codec is RFC 6716).
"""

import ctypes
import ctypes.util
from ctypes import POINTER, c_char_p, c_int, c_int16, c_int32, c_void_p
from functools import lru_cache
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.errors import ConfigError

RATES_HZ: Final = (8000, 12000, 16000, 24000, 48000)
MAX_PACKET_BYTES: Final = 1275 * 3 + 7  # three frames of maximum size (RFC 6716, section 3.4)
MAX_PACKET_MS: Final = 120
FRAME_MS: Final = 20
_APPLICATION_VOIP: Final = 2048
_SET_BITRATE: Final = 4002
_GET_LOOKAHEAD: Final = 4027
_OK: Final = 0
_PCM: Final = POINTER(c_int16)


@lru_cache(maxsize=1)
def libopus() -> ctypes.CDLL:
    """The library. Raises ConfigError if it is not installed."""
    try:
        library = ctypes.CDLL("libopus.so.0")
    except OSError:
        raise ConfigError("libopus.so.0 cannot be loaded; install Debian's libopus0, or send s16le") from None
    for name, result, arguments in (
        ("opus_decoder_create", c_void_p, (c_int32, c_int, POINTER(c_int))),
        ("opus_decoder_destroy", None, (c_void_p,)),
        ("opus_decode", c_int, (c_void_p, c_char_p, c_int32, _PCM, c_int, c_int)),
        ("opus_packet_get_nb_samples", c_int, (c_char_p, c_int32, c_int32)),
        ("opus_encoder_create", c_void_p, (c_int32, c_int, c_int, POINTER(c_int))),
        ("opus_encoder_destroy", None, (c_void_p,)),
        ("opus_encode", c_int32, (c_void_p, _PCM, c_int, c_char_p, c_int32)),
        ("opus_strerror", c_char_p, (c_int,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def available() -> bool:
    """Whether libopus is installed."""
    try:
        libopus()
    except ConfigError:
        return False
    return True


def packet_frames(packet: bytes, rate_hz: int) -> int:
    """The number of frames in a packet at rate_hz, at least 1. Raises ValueError for an invalid packet."""
    if not 0 < len(packet) <= MAX_PACKET_BYTES:
        raise ValueError(f"an Opus packet has 1 to {MAX_PACKET_BYTES} bytes, not {len(packet)}")
    frames = int(libopus().opus_packet_get_nb_samples(packet, len(packet), rate_hz))
    if frames <= 0:
        raise ValueError(f"not an Opus packet: {_why(frames)}")
    return frames


class OpusDecoder:
    """A mono decoder for one stream: packets in order in, int16 at rate_hz out. rate_hz: one of RATES_HZ."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        error = c_int()
        self._library = libopus()
        self._state = self._library.opus_decoder_create(rate_hz, 1, ctypes.byref(error))
        if error.value != _OK:
            raise ValueError(f"no Opus decoder at {rate_hz} Hz: {_why(error.value)}")

    def decode(self, packet: bytes) -> Pcm:
        """Decode one packet to int16 (N,). Raises ValueError for an invalid packet."""
        pcm = np.empty(packet_frames(packet, self.rate_hz), np.int16)
        count = self._library.opus_decode(self._state, packet, len(packet), pcm.ctypes.data_as(_PCM), len(pcm), 0)
        if count < 0:
            raise ValueError(f"cannot decode the Opus packet: {_why(count)}")
        return pcm[:count]

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_decoder_destroy(self._state)
            self._state = None


class OpusEncoder:
    """A mono encoder for one stream: FRAME_MS of PCM in, one packet out. bitrate: in bits per second."""

    def __init__(self, rate_hz: int, bitrate: int = 24_000) -> None:
        error = c_int()
        self._library = libopus()
        self._state = self._library.opus_encoder_create(rate_hz, 1, _APPLICATION_VOIP, ctypes.byref(error))
        if error.value != _OK:
            raise ValueError(f"no Opus encoder at {rate_hz} Hz: {_why(error.value)}")
        self.frames = rate_hz * FRAME_MS // 1000
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        control = self._library.opus_encoder_ctl  # variadic, so argument types cannot be declared
        control(c_void_p(self._state), c_int(_SET_BITRATE), c_int32(bitrate))
        lookahead = c_int32()
        control(c_void_p(self._state), c_int(_GET_LOOKAHEAD), ctypes.byref(lookahead))
        self.lookahead = int(lookahead.value)
        """The codec's delay in frames."""

    def encode(self, pcm: Pcm) -> bytes:
        """Encode int16 (frames,) to one packet. Raises ValueError for another length."""
        if len(pcm) != self.frames:
            raise ValueError(f"a packet takes {self.frames} frames, not {len(pcm)}")
        pcm = np.ascontiguousarray(pcm, np.int16)
        size = self._library.opus_encode(
            self._state, pcm.ctypes.data_as(_PCM), len(pcm), self._packet, MAX_PACKET_BYTES
        )
        if size < 0:
            raise ValueError(f"cannot encode: {_why(size)}")
        return self._packet.raw[:size]

    def encode_all(self, pcm: Pcm) -> list[bytes]:
        """Encode a whole turn, int16 (N,), padded with silence so that the decoder outputs its last sample."""
        padded = -(-(len(pcm) + self.lookahead) // self.frames) * self.frames
        whole = np.zeros(padded, np.int16)
        whole[: len(pcm)] = pcm
        return [self.encode(whole[at : at + self.frames]) for at in range(0, padded, self.frames)]

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_encoder_destroy(self._state)
            self._state = None


def _why(code: int) -> str:
    return str(libopus().opus_strerror(code).decode())
