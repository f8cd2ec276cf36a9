"""Who may do what on this board: by the role in the topic, then by link.toml. Pure."""

from typing import Final, get_args

from mien.fleet.command import (
    Caption,
    Command,
    CommandBase,
    Interrupt,
    Reboot,
    Refusal,
    Restart,
    Say,
    TakeFloor,
    least_role,
    permits,
)
from mien.fleet.topics import ROLES, Role
from mien.link.config import AllowConfig

_SPEAKS: Final = (TakeFloor, Say, Interrupt, Caption)
_RESTARTS: Final = (Restart, Reboot)


def refusal(role: Role, command: CommandBase, allow: AllowConfig) -> Refusal | None:
    """Why this role may not give this command here, or None."""
    kind = type(command)
    if role not in allow.roles:
        return Refusal(code="not_allowed_here", message=f"this board takes no commands of {role}s (allow.roles)")
    if not permits(role, kind):
        return Refusal(code="not_permitted", message=f"{_name(kind)} needs the role {least_role(kind)}; this is {role}")
    if key := _forbidden(kind, allow):
        return Refusal(code="not_allowed_here", message=f"this board's link.toml forbids it (allow.{key})")
    return None


def allowed_commands(allow: AllowConfig) -> tuple[str, ...]:
    """The commands that this board takes from anybody, for `status`."""
    return tuple(
        _name(kind)
        for kind in get_args(Command)
        if not _forbidden(kind, allow)
        and any(ROLES.index(role) >= ROLES.index(least_role(kind)) for role in allow.roles)
    )


def _forbidden(kind: type[CommandBase], allow: AllowConfig) -> str:
    """The key of [allow] that forbids a command, or ""."""
    if issubclass(kind, _SPEAKS) and not allow.floor:
        return "floor"
    if issubclass(kind, _RESTARTS) and not allow.restart:
        return "restart"
    return ""


def _name(kind: type[CommandBase]) -> str:
    return str(kind.__struct_config__.tag)
