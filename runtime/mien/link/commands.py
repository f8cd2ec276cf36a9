"""Takes commands from the broker: checks them once, carries them out, answers."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

import msgspec

from mien.core.log_limit import LogLimit
from mien.errors import FleetError
from mien.fleet import command as fleet
from mien.fleet.event import Commanded, EventBase
from mien.fleet.topics import Order, Role
from mien.link import permission
from mien.link.asked import Asked
from mien.link.border import claimed, read_command
from mien.link.config import AllowConfig
from mien.link.freshness import Freshness
from mien.link.outbox import Outbox
from mien.link.refused import RefusedError
from mien.link.voice_actions import Action

log = logging.getLogger("mien.link")

MOST_WAITING: Final = 32
LONG: Final = (fleet.Restart, fleet.Reboot, fleet.Bundle, fleet.Drain, fleet.Doctor, fleet.Log, fleet.Thumbnail)
"""Carried out beside the others; one of a kind at a time."""
_UNRECORDED: Final = ("ping", "thumbnail")
"""They change nothing, and a console sends them every few seconds."""


class Commands:
    """actions: what carries out each command. utc() is None while the clock is unset. now_ns: CLOCK_MONOTONIC."""

    def __init__(
        self,
        allow: AllowConfig,
        actions: dict[type[fleet.CommandBase], Action],
        *,
        outbox: Outbox,
        tell: Callable[[EventBase], object],
        utc: Callable[[], float | None],
        now_ns: Callable[[], int],
    ) -> None:
        self._allow = allow
        self._actions = actions
        self._outbox = outbox
        self._tell = tell
        self._utc = utc
        self._now_ns = now_ns
        self._freshness = Freshness(utc())
        self._refusals = LogLimit(burst=20, every_s=5.0)
        self._waiting: asyncio.Queue[Asked] = asyncio.Queue(MOST_WAITING)
        self._long: dict[type[fleet.CommandBase], asyncio.Task[None]] = {}
        self.refused = 0

    def take(self, order: Order, payload: bytes) -> None:
        """A payload from a command topic. Never raises; what is wrong with it is answered."""
        assert order.role
        command = read_command(payload)
        if isinstance(command, fleet.Refusal):
            self._refuse(order.user, order.role, *claimed(payload), command)
            return
        name = str(type(command).__struct_config__.tag)
        refusal = permission.refusal(order.role, command, self._allow) or self._freshness.check(
            order.user, command, self._utc()
        )
        if refusal is None:
            refusal = self._accept(order.user, order.role, command, name)
        if refusal is not None:
            self._refuse(order.user, order.role, command.id, name, refusal)

    async def run(self) -> None:
        """Carry out what was accepted, in order, until cancelled."""
        while True:
            await self._carry_out(await self._waiting.get())

    def close(self) -> None:
        """Give up what takes long."""
        for task in self._long.values():
            task.cancel()

    def _accept(self, user: str, role: Role, command: fleet.CommandBase, name: str) -> fleet.Refusal | None:
        def progress(result: dict[str, Any]) -> None:
            self._answer(user, command.id, name, "running", result=result)

        async def deliver(result: dict[str, Any]) -> None:
            await self._answer(user, command.id, name, "running", result=result)

        asked = Asked(user, role, command, progress, deliver)
        if not isinstance(command, LONG):
            try:
                self._waiting.put_nowait(asked)
            except asyncio.QueueFull:
                return fleet.Refusal(code="busy", message="too many commands wait; send fewer")
            return None
        kind = type(command)
        if kind in self._long and not self._long[kind].done():
            if not isinstance(command, fleet.Drain):
                return fleet.Refusal(code="busy", message=f"another {name} is under way")
            self._long[kind].cancel()  # the newer one decides
        self._long[kind] = asyncio.get_running_loop().create_task(self._carry_out(asked))
        return None

    async def _carry_out(self, asked: Asked) -> None:
        name = str(type(asked.command).__struct_config__.tag)
        try:
            result = await self._actions[type(asked.command)](asked)
        except RefusedError as error:
            self._refuse(asked.user, asked.role, asked.command.id, name, error.refusal)
        except (FleetError, OSError, TimeoutError) as error:
            failure = fleet.Refusal(code="failed", message=str(error)[:300] or type(error).__name__)
            self._refuse(asked.user, asked.role, asked.command.id, name, failure, state="failed")
        except asyncio.CancelledError:
            self._answer(asked.user, asked.command.id, name, "failed", error=_GIVEN_UP)
            raise
        except Exception:
            log.exception("command %s of %s", name, asked.user)
            failure = fleet.Refusal(code="failed", message="a fault in mien-link; see its log")
            self._refuse(asked.user, asked.role, asked.command.id, name, failure, state="failed")
        else:
            self._record(name, asked.user, asked.role, ok=True)
            self._answer(asked.user, asked.command.id, name, "done", result=result)

    def _refuse(
        self, user: str, role: Role, command_id: str, name: str, refusal: fleet.Refusal, *, state: Any = "refused"
    ) -> None:
        """Answer, where there is an id to answer to. A flood of refusals is recorded in part only."""
        self.refused += 1
        line = self._refusals.line(f"refused {name or 'a command'} of {role} {user}: {refusal.code}", self._now_ns())
        if line is not None:
            log.warning("%s", line)
            self._record(name, user, role, ok=False, code=refusal.code)
        if command_id:
            self._answer(user, command_id, name, state, error=refusal)

    def _record(self, name: str, user: str, role: str, *, ok: bool, code: str = "") -> None:
        if name not in _UNRECORDED or not ok:
            self._tell(Commanded(queue="", seq=0, command=name, user=user, role=role, ok=ok, code=code))

    def _answer(
        self,
        user: str,
        command_id: str,
        name: str,
        state: Any,
        *,
        error: fleet.Refusal | None = None,
        result: dict[str, Any] | None = None,
    ) -> "asyncio.Future[None]":
        answer = fleet.Answer(
            id=command_id, command=name, state=state, at=self._utc(), error=error, result=result or {}
        )
        return self._outbox.post(f"answer/{user}", msgspec.json.encode(answer))


_GIVEN_UP: Final = fleet.Refusal(code="failed", message="a newer command took its place, or the link stops")
