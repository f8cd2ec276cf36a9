"""The NULL mechanism: no authentication (rfc.zeromq.org/spec/23).

It serves ipc endpoints, where file permissions control access, and loopback TCP, which every local user can reach.
"""

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
    """The handshake of one connection and the encoding of its frames afterwards."""

    @property
    def user_id(self) -> str:
        """The owner of the peer's key; "" without CURVE. Valid once peer_metadata is set."""
        ...

    @property
    def peer_metadata(self) -> dict[bytes, bytes] | None:
        """The peer's properties; None until the handshake is complete."""
        ...

    def begin(self) -> bytes:
        """The bytes to send right after the greeting."""
        ...

    def command(self, body: bytes) -> bytes:
        """Process one command of the handshake; returns the answer to send. Raises PeerError."""
        ...

    def pack(self, frame: Frame) -> bytes:
        """Encode a frame for sending."""
        ...

    def unpack(self, frame: Frame) -> Frame:
        """Decode a received frame. Raises PeerError."""
        ...


class NullMechanism:
    """Implements Mechanism. properties: the server's own."""

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
            raise PeerError("bad_handshake", f"{name[:20]!r} arrived instead of READY")
        self.peer_metadata = decode_metadata(data)
        return b""

    def pack(self, frame: Frame) -> bytes:
        """Encode it unchanged."""
        return encode_frame(*frame)

    def unpack(self, frame: Frame) -> Frame:
        """Return it unchanged."""
        return frame
