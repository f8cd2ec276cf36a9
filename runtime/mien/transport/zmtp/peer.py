"""One connection's protocol state in ZMTP, without I/O, including every limit on what a peer may send."""

from collections import deque
from typing import Final

from mien.errors import PeerError
from mien.transport.zmtp.framing import (
    COMMAND,
    GREETING_BYTES,
    MORE,
    Frame,
    FrameReader,
    check_greeting,
    command_body,
    greeting,
    split_command,
)
from mien.transport.zmtp.null import Mechanism

MAX_FRAME_BYTES: Final = 1 << 18  # above any legal frame, so that a frame slightly too large still gets an error
MAX_PARTS: Final = 8  # no legal message has more than two; a few more get an error, an endless one is cut off
MAX_MESSAGE_BYTES: Final = MAX_FRAME_BYTES + (1 << 15)  # a frame of the largest size plus a header
PENDING_BYTES: Final = 1 << 15  # above any hello
HANDSHAKE_FRAME_BYTES: Final = 4096
FRAMES_A_PARSE: Final = 64
_WAIT_MESSAGES: Final = 64
_PONG_CONTEXT_BYTES: Final = 16
_TTL_BYTES: Final = 2

Message = list[bytes]


class Peer:
    """Turns received bytes (feed(), then parse() a little at a time) into `messages`.

    accepts: the socket types that may connect, such as b"DEALER". feed() and parse() return the bytes to answer with,
    and raise PeerError when the connection must be closed. Until the owner knows the client and calls
    identify(), one message of at most pending_bytes is parsed at a time, so that the connection costs little.
    """

    def __init__(
        self,
        mechanism: Mechanism,
        mechanism_name: bytes,
        accepts: frozenset[bytes],
        pending_bytes: int = PENDING_BYTES,
    ) -> None:
        self._mechanism = mechanism
        self._name = mechanism_name
        self._accepts = accepts
        self._greeting = bytearray()
        self._reader = FrameReader(HANDSHAKE_FRAME_BYTES)
        self._parts: Message = []
        self._parts_bytes = 0
        self.messages: deque[Message] = deque()
        self.messages_bytes = 0
        self._most_bytes = self._pending_bytes = pending_bytes
        self.identified = False
        self.ready = False
        self.unparsed = False

    @property
    def user_id(self) -> str:
        """The owner of the peer's key; "" without CURVE."""
        return self._mechanism.user_id

    @property
    def full(self) -> bool:
        """Whether messages must be taken before more is read; until then the kernel holds back the peer."""
        most = _WAIT_MESSAGES if self.identified else 1
        return self.unparsed or len(self.messages) >= most or self.messages_bytes >= MAX_FRAME_BYTES

    def hello(self) -> bytes:
        """The greeting, sent when the connection opens."""
        return greeting(self._name)

    def feed(self, data: memoryview | bytes) -> bytes:
        """Process received bytes."""
        begun = b""
        if len(self._greeting) < GREETING_BYTES:
            missing = GREETING_BYTES - len(self._greeting)
            self._greeting += data[:missing]
            check_greeting(bytes(self._greeting), self._name)
            if len(self._greeting) < GREETING_BYTES:
                return b""
            data = data[missing:]
            begun = self._mechanism.begin()
        self._reader.feed(data)
        return begun + self.parse()

    def identify(self) -> None:
        """Lift the limits of an unidentified connection: the owner knows the client."""
        self.identified = True
        self._most_bytes = MAX_MESSAGE_BYTES
        self._reader.max_bytes = MAX_FRAME_BYTES

    def parse(self) -> bytes:
        """Parse a bounded number of fed frames, so that a flood of small frames cannot take up the caller's time.

        `unparsed` tells whether more input remains.
        """
        answer = b""
        for _ in range(FRAMES_A_PARSE):
            if self.messages and not self.identified:
                break
            frame = self._reader.next()
            if frame is None:
                self.unparsed = False
                return answer
            answer += self._take(frame)
        self.unparsed = len(self._reader) > 0
        return answer

    def take(self) -> Message:
        """Remove and return the oldest message."""
        message = self.messages.popleft()
        self.messages_bytes -= sum(map(len, message))
        return message

    def pack(self, message: Message) -> bytes:
        """Encode a message for this peer."""
        last = len(message) - 1
        return b"".join(
            self._mechanism.pack(Frame(MORE if index < last else 0, part)) for index, part in enumerate(message)
        )

    def _take(self, frame: Frame) -> bytes:
        if not self.ready:
            return self._shake_hands(frame)
        frame = self._mechanism.unpack(frame)
        if frame.flags & COMMAND:
            return self._command(frame.body)
        self._collect(frame)
        return b""

    def _shake_hands(self, frame: Frame) -> bytes:
        if not frame.flags & COMMAND:
            raise PeerError("bad_handshake", "a message arrived before the end of the handshake")
        answer = self._mechanism.command(frame.body)
        metadata = self._mechanism.peer_metadata
        if metadata is not None:
            kind = metadata.get(b"socket-type", b"")
            if kind not in self._accepts:
                raise PeerError(
                    "wrong_socket",
                    f"a socket of type {kind[:20]!r} connected; use "
                    f"{' or '.join(sorted(name.decode() for name in self._accepts))}",
                )
            self.ready = True
            self._reader.max_bytes = self._pending_bytes
        return answer

    def _command(self, body: bytes) -> bytes:
        name, data = split_command(body)
        if name != b"PING":
            return b""  # PONG, or a command of a later version
        context = data[_TTL_BYTES : _TTL_BYTES + _PONG_CONTEXT_BYTES]
        return self._mechanism.pack(Frame(COMMAND, command_body(b"PONG", context)))

    def _collect(self, frame: Frame) -> None:
        self._parts.append(frame.body)
        self._parts_bytes += len(frame.body)
        if frame.flags & MORE:
            if len(self._parts) >= MAX_PARTS or self._parts_bytes > self._most_bytes:
                raise PeerError(
                    "endless_message", f"a message of more than {MAX_PARTS} parts or {self._most_bytes} bytes"
                )
            return
        self.messages.append(self._parts)
        self.messages_bytes += self._parts_bytes
        self._parts, self._parts_bytes = [], 0
