"""Fuzz what comes from a broker: hostile messages on every topic, by seed. Any failure names its seed.

    PYTHONPATH=tests .venv/bin/python -m link.fuzz_orders --messages 100000 [--seed 1]

What must hold whatever is sent: nothing raises; what is carried out was valid, fresh, permitted to the role in its
topic, allowed by link.toml, never before seen; each answer goes to the user in the topic; queues and memories stay
within their bounds; an honest command is carried out right after all of it.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec

from link.link_rig import FACTS, PLACE, link_config
from mien.fleet import command as fleet
from mien.fleet.topics import ROLES
from mien.link import permission
from mien.link.asked import Asked
from mien.link.commands import MOST_WAITING
from mien.link.freshness import REMEMBERED
from mien.link.service import LinkService

USERS = ("ann", "bob-2", "x" * 32)
BAD_USERS = ("", "ANN", "a b", "y" * 33, "ä", "a\0b", "..", "$share", "-a")
NAMES = tuple(str(kind.__struct_config__.tag) for kind in fleet.Command.__args__)
FIELDS = sorted({name for kind in fleet.Command.__args__ for name in kind.__struct_fields__})
VALUES: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 7, 2**31, 2**63, 2**70, -(2**40), 0.5, -0.5, 1e308, "", "hold", "drop", "voice"),
    *("all", "x" * 3000, "a\0b", "\ud800", "\u2028", "on", "auto", [], [1], {"a": 1}, [["w"]], "../../etc/passwd"),
)
BATCH = 50


class Fuzzer:
    """One link without a network. did: what its actions were asked."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._chance = random.Random(seed)
        self._service = LinkService(link_config(1), folder / "link.toml", folder, facts=lambda: FACTS)
        self._commands = self._service._commands
        self._receive = self._service.intake.receive
        self._commands._actions = dict.fromkeys(self._commands._actions, self._act)
        self._seen: set[tuple[str, str]] = set()
        self._sent: list[tuple[str, bytes]] = []
        self._broken: list[str] = []
        self.did = self.answered = 0

    async def run(self, messages: int) -> None:
        """Raises AssertionError for what must not happen."""
        self._service.outbox.opened()
        task = asyncio.create_task(self._commands.run())
        try:
            for number in range(messages):
                topic, payload = self._message()
                self._receive(topic, payload)
                if number % BATCH == 0:
                    await self._settle()
            await self._settle()
            await self._honest()
            assert not task.done(), task
        finally:
            task.cancel()
            self._commands.close()
            await asyncio.gather(task, return_exceptions=True)
            self._service._network.close()
            self._service.events.close()

    async def _act(self, asked: Asked) -> dict[str, Any]:
        """Commands catches what an action raises, so it is kept."""
        try:
            self._check(asked)
        except AssertionError as error:
            self._broken.append(f"{asked.command}: {error}")
        self.did += 1
        return {}

    def _check(self, asked: Asked) -> None:
        command = asked.command
        assert permission.refusal(asked.role, command, fleet_allow()) is None, "not permitted"
        assert abs(time.time() - command.at) < fleet.MAX_AGE_S + 5, "stale"
        key = (asked.user, command.id)
        assert key not in self._seen, "carried out twice"
        self._seen.add(key)
        msgspec.json.decode(msgspec.json.encode(command), type=fleet.Command)

    async def _settle(self) -> None:
        for _ in range(MOST_WAITING + 5):
            await asyncio.sleep(0)
        while (sending := self._service.outbox.take()) is not None:
            kind, _, user = sending.topic.removeprefix(PLACE.topic("")).partition("/")
            if kind == "answer":
                assert user in USERS
                answer = msgspec.json.decode(sending.payload, type=fleet.Answer)
                assert answer.state in ("running", "done", "refused", "failed")
                self.answered += 1
            if sending.done is not None and not sending.done.done():
                sending.done.set_result(None)
        assert not self._broken, self._broken[0]
        assert len(self._commands._freshness._seen) <= REMEMBERED
        assert self._commands._waiting.qsize() <= MOST_WAITING
        self._service._flush()
        self._service.events.ack(self._service.events.last)

    async def _honest(self) -> None:
        """After all of it, in a time in which no flood of earlier ids counts."""
        self._commands._freshness._seen.clear()
        before = self.did
        self._receive(PLACE.topic("command", "observer", "ann"), self._valid("ping"))
        await self._settle()
        assert self.did == before + 1

    def _message(self) -> tuple[str, bytes]:
        if self._sent and self._chance.random() < 0.1:
            return self._chance.choice(self._sent)  # a replay
        message = self._topic(), self._payload()
        if len(self._sent) < 200:
            self._sent.append(message)
        return message

    def _topic(self) -> str:
        user = self._chance.choice(USERS if self._chance.random() < 0.9 else BAD_USERS)
        kind = self._chance.random()
        if kind < 0.75:
            return PLACE.topic("command", self._chance.choice((*ROLES, *ROLES, "root", "")), user)
        if kind < 0.85:
            return PLACE.topic("watch", user)
        if kind < 0.95:
            return PLACE.topic("speech", user)
        return self._chance.choice(("", "/", PLACE.topic(""), PLACE.topic("status"), "mien/1/other/board/watch/ann"))

    def _payload(self) -> bytes:
        kind = self._chance.random()
        if kind < 0.25:
            return self._valid(self._chance.choice(NAMES))
        if kind < 0.55:
            return self._mutated(self._valid(self._chance.choice(NAMES)))
        if kind < 0.7:
            return b'{"streams": ["pose", "ear"], "for_s": 20}'
        if kind < 0.8:
            return self._chance.randbytes(self._chance.choice((0, 1, 14, 60, 400, 20_000)))
        if kind < 0.85:
            return self._chance.choice((b"[", b'{"a":', b"{")) * self._chance.choice((10, 3000))
        fields = {self._chance.choice(FIELDS): self._chance.choice(VALUES) for _ in range(4)}
        fields |= {"command": self._chance.choice((*NAMES, "fly", 3, None))}
        return json.dumps(fields).encode("utf-8", "surrogatepass")

    def _valid(self, name: str) -> bytes:
        """A command that may be valid, with values from everywhere."""
        fields: dict[str, Any] = {
            "id": f"{self._chance.getrandbits(64):016x}",
            "at": time.time() + self._chance.choice((0, 0, 0, -29, -31, 4, 6, -1e9, 1e18)),
            "command": name,
        }
        kind = next(each for each in fleet.Command.__args__ if each.__struct_config__.tag == name)
        for each in kind.__struct_fields__:
            if each not in fields and self._chance.random() < 0.7:
                fields[each] = self._chance.choice((*VALUES, "hello", 0.7, "call", 60))
        if name == "ping":
            fields["at"] = time.time()
        return json.dumps(fields).encode("utf-8", "surrogatepass")

    def _mutated(self, payload: bytes) -> bytes:
        data = bytearray(payload)
        for _ in range(self._chance.randint(1, 4)):
            at = self._chance.randrange(len(data))
            action = self._chance.random()
            if action < 0.5:
                data[at] = self._chance.randrange(256)
            elif action < 0.75:
                del data[at : at + self._chance.randint(1, 8)]
            else:
                data[at:at] = data[: self._chance.randint(1, 30)]
            if not data:
                break
        return bytes(data)


def fleet_allow() -> Any:
    return link_config(1).allow


def fuzz(messages: int, seed: int) -> Fuzzer:
    """Raises AssertionError with the seed."""
    with tempfile.TemporaryDirectory() as folder:

        async def play() -> Fuzzer:
            fuzzer = Fuzzer(Path(folder), seed)
            await fuzzer.run(messages)
            return fuzzer

        try:
            return asyncio.run(play())
        except Exception as error:
            raise AssertionError(f"--seed {seed}: {error!r}") from error


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    tracemalloc.start()
    began_s = time.monotonic()
    fuzzer = fuzz(given.messages, given.seed)
    kept_mb = tracemalloc.get_traced_memory()[0] / 1e6
    print(
        f"{given.messages} messages, {fuzzer.did} carried out, {fuzzer.answered} answered, "
        f"{kept_mb:.1f} MB kept, {time.monotonic() - began_s:.0f} s"
    )


if __name__ == "__main__":
    import logging

    logging.disable(logging.WARNING)
    main()
