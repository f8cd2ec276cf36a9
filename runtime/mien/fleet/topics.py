"""The topics of a fleet, built or parsed.

    mien/1/SITE/BOARD/...    1 is the version of this tree; a change that breaks readers would be 2

A site, a board and a user are names of `NAME`. SITE/BOARD is also the board's user name at the broker, so that one
pattern of its ACL, `mien/1/%u/#`, keeps every board to its own topics. The last level of `watch`, `command`, `speech`
and `answer` is the user who asks or is answered: the broker's ACL vouches for it.
"""

import re
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from mien.errors import FleetError

ROOT: Final = "mien/1"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
DISCOVERY_PREFIX: Final = "homeassistant"

Role: TypeAlias = Literal["observer", "agent", "operator"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
Stream: TypeAlias = Literal["pose", "caption", "heard", "ear"]
STREAMS: Final[tuple[Stream, ...]] = get_args(Stream)


class Board(NamedTuple):
    """A board's place in the fleet."""

    site: str
    name: str

    @property
    def user(self) -> str:
        """The board's user name at the broker, and the common name of its certificate."""
        return f"{self.site}/{self.name}"

    def topic(self, *levels: str) -> str:
        """A topic of this board."""
        return "/".join((ROOT, self.site, self.name, *levels))


class Order(NamedTuple):
    """The topic of something that a user sent to a board. role: of a command, else empty."""

    kind: Literal["command", "watch", "speech"]
    user: str
    role: Role | Literal[""] = ""


def board(site: str, name: str) -> Board:
    """Raises FleetError for a name that no topic can hold."""
    for what, text in (("site", site), ("board", name)):
        if not NAME.fullmatch(text):
            raise FleetError(
                f"{what} {text[:40]!r}: use 1 to 32 of a-z, 0-9 and '-', beginning with a letter or a digit"
            )
    return Board(site, name)


def orders_of(place: Board) -> tuple[str, ...]:
    """The filters to which a board subscribes."""
    return (place.topic("command", "+", "+"), place.topic("watch", "+"), place.topic("speech", "+"))


def parse_order(place: Board, topic: str) -> Order:
    """What a message to this board is. Raises FleetError for any other topic."""
    prefix = place.topic("")
    levels = topic.removeprefix(prefix).split("/") if topic.startswith(prefix) else []
    if len(levels) == 3 and levels[0] == "command" and NAME.fullmatch(levels[2]):
        for role in ROLES:
            if levels[1] == role:
                return Order("command", levels[2], role)
    if len(levels) == 2 and NAME.fullmatch(levels[1]):
        if levels[0] == "watch":
            return Order("watch", levels[1])
        if levels[0] == "speech":
            return Order("speech", levels[1])
    raise FleetError(f"topic {topic[:80]!r} is no order to {place.user}")


def parse_report(topic: str) -> tuple[Board, str]:
    """The board and the rest of a topic that a board published: `status`, `live/pose`. Raises FleetError."""
    levels = topic.split("/")
    if len(levels) < 5 or "/".join(levels[:2]) != ROOT:
        raise FleetError(f"topic {topic[:80]!r} is not of a fleet")
    return board(levels[2], levels[3]), "/".join(levels[4:])
