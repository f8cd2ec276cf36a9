"""One command that was checked, with who gave it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from mien.fleet.command import CommandBase
from mien.fleet.topics import Role


@dataclass(frozen=True, slots=True)
class Asked:
    """progress(result): tells the user that it is under way; more answers follow. deliver(result): the same, and waits
    until the broker has it; it raises FleetError when the broker goes away."""

    user: str
    role: Role
    command: CommandBase
    progress: Callable[[dict[str, Any]], None]
    deliver: Callable[[dict[str, Any]], Awaitable[None]]
