"""What a connection may be, by the key that it was let in with."""

from dataclasses import dataclass
from typing import Final, get_args

from mien.core.wire import Role

ROLES: Final[tuple[Role, ...]] = get_args(Role)
_OF_KEY: Final[dict[str, frozenset[Role]]] = {
    "speaker": frozenset(("speaker",)),
    "agent": frozenset(ROLES),
    "observer": frozenset(("observer",)),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """principal: whose connection it is. roles: what its hello may name."""

    principal: str
    roles: frozenset[Role]


LOCAL: Final = Grant("local", frozenset(ROLES))  # ipc and loopback: the file system says who may


def grant_of(user_id: str) -> Grant:
    """The grant behind the user id that the key's check left on a connection ("role/name"; "" without a check)."""
    if not user_id:
        return LOCAL
    role, _, _ = user_id.partition("/")
    return Grant(user_id, _OF_KEY.get(role, frozenset()))
