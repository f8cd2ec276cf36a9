"""Gathers packets of 20 ms into messages: each message costs more on the wire than its sound."""

from typing import Final

from mien.fleet.packets import PACKET_MS, SEQ_MODULUS, Sound, encode_sound

PACKETS: Final = 3  # in one message: 60 ms
JUMP_MS: Final = 15  # in the times of two packets, beyond which they are of two messages
WAIT_MS: Final = 100  # that a packet waits for others


class SoundOut:
    """take() packets in order, flush() what waits too long. Times are UTC in ms. Raises PacketError for bad packets."""

    def __init__(self) -> None:
        self._seq = 0
        self._packets: list[bytes] = []
        self._at_ms = 0
        self._first = False
        self._open = False

    def take(self, packet: bytes, at_ms: int, *, first: bool = False, last: bool = False) -> list[bytes]:
        """The messages that are complete now. first: it needs a new decoder. last: nothing follows soon."""
        due_ms = self._at_ms + PACKET_MS * len(self._packets)
        messages = []
        if self._packets and (first or abs(at_ms - due_ms) > JUMP_MS):
            messages.append(self._message(last=False))
        if not self._packets:
            self._at_ms = at_ms
            self._first = first or not self._open
        self._open = True
        self._packets.append(packet)
        if last or len(self._packets) == PACKETS:
            messages.append(self._message(last=last))
        return messages

    def flush(self, now_ms: int) -> list[bytes]:
        """What has waited for too long."""
        return [self._message(last=False)] if self._packets and now_ms - self._at_ms > WAIT_MS else []

    def end(self) -> None:
        """Nobody hears this any more, or it comes no more: forget what waits. What comes next needs a new decoder."""
        self._packets.clear()
        self._open = False

    def _message(self, *, last: bool) -> bytes:
        sound = Sound(self._seq, self._at_ms, tuple(self._packets), self._first, last)
        self._packets.clear()
        self._seq = (self._seq + 1) % SEQ_MODULUS
        self._first = False
        self._open = not last
        return encode_sound(sound)
