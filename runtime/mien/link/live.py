"""What watchers of a board get: poses, captions, the speech that is heard, the ear; only while somebody watches.

Pure: requests and the voice's messages go in, publications come out. They are QoS 0, not retained.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from mien.client import Disconnected, HeardSpeech, NearEnd, Poses
from mien.core import wire
from mien.errors import PacketError
from mien.fleet.command import Watch
from mien.fleet.packets import SEQ_MODULUS, pose_packet
from mien.fleet.topics import Stream
from mien.link.caption_lines import CaptionLines
from mien.link.leases import Leases
from mien.link.sound_out import SoundOut

RENEW_S: Final = 1.0  # at most so often a newcomer asks for a key batch; there is one every second anyway
_TOPICS: Final[dict[Stream, wire.Topic]] = {"pose": "poses", "caption": "captions", "heard": "heard"}


class Publication(NamedTuple):
    """topic: below the board's own. payload: of a message of QoS 0 that is not retained."""

    topic: str
    payload: bytes


class LiveOrders(NamedTuple):
    """What the client is to ask of the voice. number: rises whenever it must ask again. listens: to the ear."""

    number: int
    topics: frozenset[wire.Topic]
    listens: bool


class Watching(NamedTuple):
    """What became of a request. refused: streams that this board or this user's role does not permit."""

    streams: tuple[Stream, ...]
    refused: tuple[Stream, ...]


class LiveStreams:
    """allowed: streams that the configuration permits. utc_ms(): UTC of a time on CLOCK_MONOTONIC in ns.

    dropped: what could not be published, such as a sound packet that is not of 20 ms.
    """

    def __init__(self, *, allowed: frozenset[Stream], utc_ms: Callable[[int], int]) -> None:
        self._allowed = allowed
        self._utc_ms = utc_ms
        self._leases = Leases()
        self._heard, self._ear = SoundOut(), SoundOut()
        self._captions = CaptionLines()
        self._renewed_s = -RENEW_S
        self.orders = LiveOrders(0, frozenset(), listens=False)
        self.dropped = 0

    @property
    def watched(self) -> bool:
        """Whether anybody watches anything: otherwise step() need not be called."""
        return bool(self._leases)

    @property
    def watchers(self) -> tuple[str, ...]:
        """Users to whom something is streamed."""
        return self._leases.users()

    @property
    def listeners(self) -> tuple[str, ...]:
        """Users who hear the microphone."""
        return self._leases.users("ear")

    def watch(self, user: str, request: Watch, *, may_listen: bool, now_s: float) -> Watching:
        """A user asks for streams, or for none any more. may_listen: its role permits the ear.

        Raises FleetError when too many watch already.
        """
        granted = [each for each in request.streams if each in self._allowed and (each != "ear" or may_listen)]
        refused = tuple(each for each in request.streams if each not in granted)
        if refused and not granted:
            return Watching((), refused)
        new = self._leases.extend(user, tuple(granted), request.for_s, now_s)
        renew = "pose" in new and now_s - self._renewed_s >= RENEW_S
        if renew:
            self._renewed_s = now_s
        self._order(again=renew)
        return Watching(tuple(granted), refused)

    def step(self, now_s: float, now_ns: int) -> list[Publication]:
        """Several times a second while `watched`. now_ns: CLOCK_MONOTONIC."""
        self._leases.expire(now_s)
        self._order()
        now_ms = self._utc_ms(now_ns)
        return self._sound("live/heard", self._heard.flush(now_ms)) + self._sound("live/ear", self._ear.flush(now_ms))

    def on_event(self, message: object, now_ns: int) -> list[Publication]:
        """Anything that the client yields: an event, live() or listen()."""
        match message:
            case Poses():
                return self._poses(message)
            case HeardSpeech() if "heard" in self._leases.streams:
                return self._speech(message)
            case NearEnd() if "ear" in self._leases.streams:
                return self._near_end(message)
            case wire.Welcome():
                self._order(again=self.watched)  # a new session has no subscriptions
            case Disconnected():
                self._heard.end()
                self._ear.end()
            case wire.Said() | wire.Status() | wire.Outcome() | wire.Floor():
                line = self._captions.take(message, self._utc_ms(now_ns) / 1000)
                if line is not None and "caption" in self._leases.streams:
                    return [Publication("live/caption", line)]
        return []

    def _order(self, *, again: bool = False) -> None:
        streams = self._leases.streams
        topics = frozenset(_TOPICS[stream] for stream in streams if stream in _TOPICS)
        listens = "ear" in streams
        if "heard" not in streams:
            self._heard.end()
        if not listens:
            self._ear.end()
        if again or (topics, listens) != self.orders[1:]:
            self.orders = LiveOrders(self.orders.number + 1, topics, listens)

    def _poses(self, poses: Poses) -> list[Publication]:
        if "pose" not in self._leases.streams:
            return []
        try:
            payload = pose_packet(poses.seq % SEQ_MODULUS, self._utc_ms(poses.at_ns), key=poses.key, frames=poses.data)
        except PacketError:
            self.dropped += 1
            return []
        return [Publication("live/pose", payload)]

    def _speech(self, heard: HeardSpeech) -> list[Publication]:
        return self._take("live/heard", self._heard, heard, first=heard.first, last=heard.last)

    def _near_end(self, near: NearEnd) -> list[Publication]:
        return self._take("live/ear", self._ear, near)

    def _take(
        self, topic: str, out: SoundOut, block: HeardSpeech | NearEnd, *, first: bool = False, last: bool = False
    ) -> list[Publication]:
        try:
            return self._sound(topic, out.take(block.data, self._utc_ms(block.at_ns), first=first, last=last))
        except PacketError:
            self.dropped += 1
            return []

    def _sound(self, topic: str, messages: list[bytes]) -> list[Publication]:
        return [Publication(topic, message) for message in messages]
