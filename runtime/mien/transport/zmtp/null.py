"""The NULL mechanism: no keys; who may connect is decided by the file system (rfc.zeromq.org/spec/23)."""

from typing import Final, Protocol

from mien.errors import PeerError
from mien.transport.zmtp.framing import (
    Frame,
    decode_metadata,
    encode_command,
    encode_frame,
    encode_metadata,
    split_command,
)


class Mechanism(Protocol):
    """One connection's handshake, and how its frames are packed afterwards."""

    @property
    def user_id(self) -> str:
        """Whom the peer's key belongs to; "" without keys. Known once peer_metadata is."""
        ...

    @property
    def peer_metadata(self) -> dict[bytes, bytes] | None:
        """The peer's properties; None until the handshake is over."""
        ...

    def begin(self) -> bytes:
        """What is sent right after the greeting."""
        ...

    def command(self, body: bytes) -> bytes:
        """Take one command of the handshake; returns the answer to send. Raises PeerError."""
        ...

    def pack(self, frame: Frame) -> bytes:
        """A frame as it is sent."""
        ...

    def unpack(self, frame: Frame) -> Frame:
        """A frame that was received, as it was meant. Raises PeerError."""
        ...


class NullMechanism:
    """See Mechanism. properties: the server's own."""

    name: Final = b"NULL"
    user_id: Final = ""

    def __init__(self, properties: dict[bytes, bytes]) -> None:
        self._properties = properties
        self.peer_metadata: dict[bytes, bytes] | None = None

    def begin(self) -> bytes:
        """READY, without waiting for the peer's."""
        return encode_command(b"READY", encode_metadata(self._properties))

    def command(self, body: bytes) -> bytes:
        """The peer's READY."""
        name, data = split_command(body)
        if name != b"READY":
            raise PeerError("bad_handshake", f"{name[:20]!r} came where READY was due")
        self.peer_metadata = decode_metadata(data)
        return b""

    def pack(self, frame: Frame) -> bytes:
        """As it is."""
        return encode_frame(*frame)

    def unpack(self, frame: Frame) -> Frame:
        """As it is."""
        return frame
