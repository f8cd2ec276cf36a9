"""The broker's access list: every board by name, every person by name.

No pattern with %u: a person called like a site could then write to all boards of that site. A board that is not listed
has no rights at all, whatever certificate it shows, and mosquitto no longer hands out what it had retained.
"""

from collections.abc import Iterator

from mien.enrolment.registry import FleetRecord, UserRecord
from mien.fleet.topics import DISCOVERY_PREFIX, ROLES, ROOT, Board

_BOARD_WRITES = ("status", "health", "event", "answer/+", "live/+")
_BOARD_READS = ("command/+/+", "watch/+", "speech/+")
_READS = ("status", "health", "event", "live/pose", "live/caption", "live/heard")


def acl(record: FleetRecord) -> str:
    """The text of the file."""
    lines = ["# Written by `mien fleet`; changes here are lost."]
    for _, board in sorted(record.boards.items()):
        lines += board_lines(Board(board.site, board.name))
    for name, user in sorted(record.users.items()):
        lines += ["", f"user {name}", *_user_lines(record, name, user)]
    return "\n".join(lines) + "\n"


def discovery_topic(place: Board) -> str:
    """Where a board describes itself to Home Assistant."""
    return f"{DISCOVERY_PREFIX}/device/mien_{place.site}_{place.name}/config"


def board_lines(place: Board) -> list[str]:
    """What a board may do."""
    return [
        "",
        f"user {place.user}",
        *(f"topic write {place.topic(rest)}" for rest in _BOARD_WRITES),
        *(f"topic read {place.topic(rest)}" for rest in _BOARD_READS),
        f"topic write {discovery_topic(place)}",
    ]


def _user_lines(record: FleetRecord, name: str, user: UserRecord) -> Iterator[str]:
    may = ROLES[: ROLES.index(user.role) + 1]
    for site in user.sites or ("+",):
        below = f"{ROOT}/{site}/+"
        for rest in _READS:
            yield f"topic read {below}/{rest}"
        yield f"topic read {below}/answer/{name}"
        yield f"topic write {below}/watch/{name}"
        for role in may:
            yield f"topic write {below}/command/{role}/{name}"
        if "agent" in may:
            yield f"topic read {below}/live/ear"
            yield f"topic write {below}/speech/{name}"
    if user.home_assistant:
        yield from _discovery(record, user)


def _discovery(record: FleetRecord, user: UserRecord) -> Iterator[str]:
    """Discovery of the boards that the user may see: a topic level is whole or nothing, so that sites are listed."""
    if not user.sites:
        yield f"topic read {DISCOVERY_PREFIX}/device/+/config"
        return
    for _, board in sorted(record.boards.items()):
        if board.site in user.sites:
            yield f"topic read {discovery_topic(Board(board.site, board.name))}"
