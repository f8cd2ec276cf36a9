"""Opus through libopus (Debian's libopus0): a thin ctypes binding of what speech needs.

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
MAX_PACKET_BYTES: Final = 1275 * 3 + 7  # three frames at the most bytes a frame (RFC 6716, section 3.4)
MAX_PACKET_MS: Final = 120
FRAME_MS: Final = 20
_APPLICATION_VOIP: Final = 2048
_SET_BITRATE: Final = 4002
_GET_LOOKAHEAD: Final = 4027
_OK: Final = 0
_PCM: Final = POINTER(c_int16)


@lru_cache(maxsize=1)
def libopus() -> ctypes.CDLL:
    """The library. Raises ConfigError where it is not installed."""
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
    """How many frames a packet holds at rate_hz, 1 or more. Raises ValueError for bytes that are no packet."""
    if not 0 < len(packet) <= MAX_PACKET_BYTES:
        raise ValueError(f"an Opus packet has 1 to {MAX_PACKET_BYTES} bytes, not {len(packet)}")
    frames = int(libopus().opus_packet_get_nb_samples(packet, len(packet), rate_hz))
    if frames <= 0:
        raise ValueError(f"not an Opus packet: {_why(frames)}")
    return frames


class OpusDecoder:
    """One stream's decoder, mono. Packets in, in order; int16 out at rate_hz, which is one of RATES_HZ."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        error = c_int()
        self._library = libopus()
        self._state = self._library.opus_decoder_create(rate_hz, 1, ctypes.byref(error))
        if error.value != _OK:
            raise ValueError(f"no Opus decoder at {rate_hz} Hz: {_why(error.value)}")

    def decode(self, packet: bytes) -> Pcm:
        """One packet, int16 (N,). Raises ValueError for a packet that cannot be decoded."""
        pcm = np.empty(packet_frames(packet, self.rate_hz), np.int16)
        count = self._library.opus_decode(self._state, packet, len(packet), pcm.ctypes.data_as(_PCM), len(pcm), 0)
        if count < 0:
            raise ValueError(f"the Opus packet cannot be decoded: {_why(count)}")
        return pcm[:count]

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_decoder_destroy(self._state)
            self._state = None


class OpusEncoder:
    """One stream's encoder, mono. bitrate: bits a second. FRAME_MS of PCM in, one packet out."""

    def __init__(self, rate_hz: int, bitrate: int = 24_000) -> None:
        error = c_int()
        self._library = libopus()
        self._state = self._library.opus_encoder_create(rate_hz, 1, _APPLICATION_VOIP, ctypes.byref(error))
        if error.value != _OK:
            raise ValueError(f"no Opus encoder at {rate_hz} Hz: {_why(error.value)}")
        self.frames = rate_hz * FRAME_MS // 1000
        self._packet = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        control = self._library.opus_encoder_ctl  # variadic: it has no argument types of its own
        control(c_void_p(self._state), c_int(_SET_BITRATE), c_int32(bitrate))
        lookahead = c_int32()
        control(c_void_p(self._state), c_int(_GET_LOOKAHEAD), ctypes.byref(lookahead))
        self.lookahead = int(lookahead.value)
        """How many frames later than its input the decoded speech comes."""

    def encode(self, pcm: Pcm) -> bytes:
        """One packet from int16 (frames,). Raises ValueError for another length."""
        if len(pcm) != self.frames:
            raise ValueError(f"a packet takes {self.frames} frames, not {len(pcm)}")
        pcm = np.ascontiguousarray(pcm, np.int16)
        size = self._library.opus_encode(
            self._state, pcm.ctypes.data_as(_PCM), len(pcm), self._packet, MAX_PACKET_BYTES
        )
        if size < 0:
            raise ValueError(f"cannot be encoded: {_why(size)}")
        return self._packet.raw[:size]

    def encode_all(self, pcm: Pcm) -> list[bytes]:
        """A whole turn, int16 (N,): filled up with silence so that the last sample comes out of the decoder too."""
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
