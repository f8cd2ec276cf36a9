"""The first frame of a message on a local bus: a version byte, then msgpack."""

from typing import TypeVar

import msgspec

from mien.errors import BusError

_ENCODER = msgspec.msgpack.Encoder()
_T = TypeVar("_T")


class BusFrame:
    """One bus's framing. bus, processes: the names in its errors. malformed: how the error for a bad message begins."""

    def __init__(self, version: int, *, bus: str, processes: str, malformed: str) -> None:
        self._version = version
        self._prefix = bytes([version])
        self._bus = bus
        self._processes = processes
        self._malformed = malformed

    def encode(self, message: msgspec.Struct) -> bytes:
        """The frame of a message."""
        return self._prefix + _ENCODER.encode(message)

    def decode(self, decoder: msgspec.msgpack.Decoder[_T], frame: bytes) -> _T:
        """The message of a frame. Raises BusError: another version, or malformed."""
        if frame[:1] != self._prefix:
            raise BusError(
                f"{self._bus} has version {frame[0] if frame else 'none'}, this process version {self._version}: "
                f"install {self._processes} from one release and restart both"
            )
        try:
            return decoder.decode(memoryview(frame)[1:])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BusError(f"{self._malformed}: {error}") from None
