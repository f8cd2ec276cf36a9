"""Commands: checked, carried out in order, answered, recorded; whatever is sent."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mien.fleet import command as fleet
from mien.fleet.event import Commanded, EventBase
from mien.fleet.topics import Board, Order, Role
from mien.link.asked import Asked
from mien.link.commands import MOST_WAITING, Commands
from mien.link.config import AllowConfig
from mien.link.outbox import Outbox
from mien.link.refused import RefusedError

NOW = 1_800_000_000.0


class Rig:
    """did: what was carried out. gate: while clear, every action waits."""

    def __init__(self) -> None:
        self.did: list[fleet.CommandBase] = []
        self.events: list[EventBase] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.outbox = Outbox(Board("museum", "lobby"))
        self.outbox.opened()
        kinds: list[type[fleet.CommandBase]] = [*fleet.Command.__args__]
        self.commands = Commands(
            AllowConfig(),
            dict.fromkeys(kinds, self._act),
            outbox=self.outbox,
            tell=self.events.append,
            utc=lambda: NOW,
            now_ns=lambda: 0,
        )
        self.count = 0

    async def _act(self, asked: Asked) -> dict[str, Any]:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        if isinstance(asked.command, fleet.Drain):
            asked.progress({"draining": True})
        self.did.append(asked.command)
        return {"did": True}

    def send(self, command: str, role: Role = "operator", user: str = "ann", **fields: Any) -> str:
        self.count += 1
        payload = {"id": f"command-{self.count}", "at": NOW, "command": command, **fields}
        self.commands.take(Order("command", user, role), json.dumps(payload).encode())
        return str(payload["id"])

    def answers(self) -> list[Any]:
        found = []
        while (sending := self.outbox.take()) is not None:
            found.append(json.loads(sending.payload))
        return found


def play(story: Callable[[Rig], Awaitable[None]]) -> None:
    async def run() -> None:
        rig = Rig()
        task = asyncio.create_task(rig.commands.run())
        try:
            await story(rig)
        finally:
            task.cancel()
            rig.commands.close()

    asyncio.run(run())


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_a_command_is_done_answered_and_recorded() -> None:
    async def story(rig: Rig) -> None:
        identity = rig.send("volume", gain=0.5)
        await settle()
        (answer,) = rig.answers()
        assert (answer["id"], answer["command"], answer["state"]) == (identity, "volume", "done")
        assert answer["result"] == {"did": True}
        (recorded,) = rig.events
        assert isinstance(recorded, Commanded)
        assert (recorded.command, recorded.user, recorded.role, recorded.ok) == ("volume", "ann", "operator", True)

    play(story)


def test_commands_of_the_voice_are_done_in_order() -> None:
    async def story(rig: Rig) -> None:
        rig.gate.clear()
        for gain in (0.1, 0.2, 0.3):
            rig.send("volume", gain=gain)
        rig.gate.set()
        await settle()
        assert [each.gain for each in rig.did if isinstance(each, fleet.Volume)] == [0.1, 0.2, 0.3]

    play(story)


def test_what_takes_long_holds_nothing_up_and_is_one_of_its_kind() -> None:
    async def story(rig: Rig) -> None:
        rig.gate.clear()
        rig.send("bundle")
        await settle()
        rig.send("bundle")
        (refused,) = rig.answers()
        assert refused["error"]["code"] == "busy"
        rig.gate.set()
        rig.send("volume", gain=0.1)
        await settle()
        assert {type(each) for each in rig.did} == {fleet.Bundle, fleet.Volume}

    play(story)


def test_a_newer_drain_takes_the_older_one_s_place() -> None:
    async def story(rig: Rig) -> None:
        rig.gate.clear()
        first = rig.send("drain")
        await settle()
        second = rig.send("drain", drain=False)
        rig.gate.set()
        await settle()
        states = [(each["id"], each["state"]) for each in rig.answers()]
        assert states == [(first, "failed"), (second, "running"), (second, "done")]

    play(story)


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (RefusedError("floor_taken", "bob holds it"), "refused", "floor_taken"),
        (OSError(5, "Input/output error"), "failed", "failed"),
        (TimeoutError(), "failed", "failed"),
        (KeyError("a bug"), "failed", "failed"),
    ],
)
def test_an_action_that_fails_is_answered_and_the_next_is_done(error: Exception, state: str, code: str) -> None:
    async def story(rig: Rig) -> None:
        rig.error = error
        rig.send("volume", gain=0.5)
        await settle()
        (answer,) = rig.answers()
        assert (answer["state"], answer["error"]["code"]) == (state, code)
        assert answer["error"]["message"]
        rig.error = None
        rig.send("volume", gain=0.5)
        await settle()
        assert len(rig.did) == 1
        assert [each.ok for each in rig.events if isinstance(each, Commanded)] == [False, True]

    play(story)


def test_a_repeated_command_changes_nothing() -> None:
    async def story(rig: Rig) -> None:
        payload = json.dumps({"id": "command-x", "at": NOW, "command": "mute", "muted": True}).encode()
        for _ in range(3):
            rig.commands.take(Order("command", "ann", "agent"), payload)
        await settle()
        assert len(rig.did) == 1
        codes = [each["error"]["code"] for each in rig.answers() if each["error"]]
        assert codes == ["duplicate", "duplicate"]

    play(story)


def test_a_role_that_may_not_is_told_so_and_recorded() -> None:
    async def story(rig: Rig) -> None:
        rig.send("reboot", role="agent")
        await settle()
        (answer,) = rig.answers()
        assert answer["error"]["code"] == "not_permitted"
        assert rig.did == []
        assert [(each.user, each.ok, each.code) for each in rig.events if isinstance(each, Commanded)] == [
            ("ann", False, "not_permitted")
        ]

    play(story)


def test_a_queue_that_is_full_is_busy() -> None:
    async def story(rig: Rig) -> None:
        rig.gate.clear()
        for _ in range(MOST_WAITING + 3):
            rig.send("volume", gain=0.5)
        codes = [each["error"]["code"] for each in rig.answers()]
        assert codes == ["busy"] * 3

    play(story)


def test_a_flood_of_refusals_is_recorded_in_part_and_answered() -> None:
    async def story(rig: Rig) -> None:
        for _ in range(60):
            rig.send("reboot", role="observer")
        assert len(rig.events) == 20
        assert rig.commands.refused == 60

    play(story)


def test_pings_and_thumbnails_are_not_recorded() -> None:
    async def story(rig: Rig) -> None:
        rig.send("ping", role="observer")
        rig.send("thumbnail", role="observer")
        await settle()
        assert len(rig.did) == 2
        assert rig.events == []

    play(story)


def test_what_is_no_command_gets_no_answer_without_an_id() -> None:
    async def story(rig: Rig) -> None:
        for payload in (b"", b"\xff", b"[" * 3000, b"{}", b"null", b"x" * 100_000):
            rig.commands.take(Order("command", "ann", "operator"), payload)
        await settle()
        assert rig.answers() == []
        assert rig.did == []

    play(story)
