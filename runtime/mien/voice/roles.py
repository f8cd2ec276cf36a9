"""Which roles a connection may take, from the key that it was authenticated with."""

from dataclasses import dataclass
from typing import Final, get_args

from mien.core.wire import Role

ROLES: Final[tuple[Role, ...]] = get_args(Role)
_OF_KEY: Final[dict[str, frozenset[Role]]] = {
    "speaker": frozenset(("speaker",)),
    "agent": frozenset(ROLES),
    "observer": frozenset(("observer",)),
    "listener": frozenset(("observer",)),
}


@dataclass(frozen=True, slots=True)
class AllowedRoles:
    """principal: whose connection it is. roles: the roles that its hello may name."""

    principal: str
    roles: frozenset[Role]


# For endpoints without keys: ipc is protected by the permissions of its folder, loopback TCP is open to all local
# users.
LOCAL: Final = AllowedRoles("local", frozenset(ROLES))


def hears_microphone(principal: str) -> bool:
    """Whether an observer's connection may also listen: by a key of the role listener, or without keys."""
    return principal == LOCAL.principal or principal.partition("/")[0] == "listener"


def allowed_roles(user_id: str) -> AllowedRoles:
    """The roles of a user id, "role/name", from CURVE authentication; "" for an endpoint without keys."""
    if not user_id:
        return LOCAL
    role, _, _ = user_id.partition("/")
    return AllowedRoles(user_id, _OF_KEY.get(role, frozenset()))
