"""In which role each user was seen. Pure.

`watch` and `speech` do not tell it, command topics do: the broker's ACL decides who may publish to
`command/agent/USER`, so that a command there proves the role.
"""

from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from mien.fleet.topics import ROLES, Role

MOST_USERS: Final = 200


class RolesSeen:
    """Remembers the users that were seen last. allowed: the roles that this board takes commands from."""

    def __init__(self, allowed: Collection[Role] = ROLES) -> None:
        self._allowed = allowed
        self._roles: OrderedDict[str, Role] = OrderedDict()

    def saw(self, user: str, role: Role) -> None:
        """This user sent a command in this role."""
        if role not in self._allowed:
            return
        known = self._roles.pop(user, role)
        self._roles[user] = max(known, role, key=ROLES.index)
        while len(self._roles) > MOST_USERS:
            self._roles.popitem(last=False)

    def at_least(self, user: str, role: Role) -> bool:
        """Whether this user has shown this role or a higher one since the link started."""
        known = self._roles.get(user)
        return known is not None and ROLES.index(known) >= ROLES.index(role)
