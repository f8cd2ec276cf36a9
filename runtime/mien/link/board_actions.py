"""The commands that concern the board itself: restart, reboot, drain, logs, doctor, the support bundle."""

import asyncio
import base64
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from mien.config import SYSTEM_CONFIG
from mien.fleet import command as commands
from mien.link.asked import Asked
from mien.link.board_control import BoardControl
from mien.link.bundle import MOST_BYTES, configuration, pack, parts
from mien.link.drain import Drain
from mien.link.refused import RefusedError
from mien.link.snapshot import Snapshot
from mien.link.voice_actions import Action, Result
from mien.link.voice_link import VoiceLink

LOGGED: Final = ("voice", "face", "ear", "converse", "link")
REBOOT_WAITS_S: Final = 600
LOG_CHARACTERS: Final = 48_000
"""Of one answer."""
_LOOK_S: Final = 0.5


class BoardActions:
    """config: the path of link.toml. Each method carries out one command. Raises RefusedError."""

    def __init__(
        self, *, control: BoardControl, drain: Drain, voice: VoiceLink, snapshot: Snapshot, config: Path
    ) -> None:
        self._control = control
        self._drain = drain
        self._voice = voice
        self._snapshot = snapshot
        self._config = config

    def table(self) -> dict[type[commands.CommandBase], Action]:
        """The method of each command."""
        return {
            commands.Restart: self._restart,
            commands.Reboot: self._reboot,
            commands.Bundle: self._bundle,
            commands.Drain: self._drain_board,
            commands.Doctor: self._doctor,
            commands.Log: self._log,
        }

    async def drain_until_clear(self, within_s: float) -> bool:
        """Take no new visitors and wait until nobody is served. Returns whether that came within within_s."""
        await self.set_drain(True)
        deadline_s = time.monotonic() + within_s
        while not self._drain.clear(time.monotonic_ns()):
            if time.monotonic() >= deadline_s:
                return False
            await asyncio.sleep(_LOOK_S)
        return True

    async def set_drain(self, drain: bool) -> None:
        """Begin or end it, and tell the voice."""
        (self._drain.begin if drain else self._drain.end)()
        await self._voice.tell_drain()

    async def _restart(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Restart)
        await self._control.ask("restart", service=wanted.service)
        return {}

    async def _reboot(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Reboot)
        if not wanted.now:
            asked.progress({"waits_for": "the visit's end"})
            await self.drain_until_clear(REBOOT_WAITS_S)
        await self._control.ask("reboot")
        return {}

    async def _drain_board(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Drain)
        if not wanted.drain:
            await self.set_drain(False)
            return {"draining": False}
        asked.progress({"draining": True})
        return {"draining": True, "clear": await self.drain_until_clear(wanted.within_s)}

    async def _doctor(self, asked: Asked) -> Result:
        answer = await self._control.ask("doctor")
        return {"rows": _rows(answer["text"])}

    async def _log(self, asked: Asked) -> Result:
        wanted = asked.command
        assert isinstance(wanted, commands.Log)
        answer = await self._control.ask("log", service=wanted.service, lines=wanted.lines)
        return {"text": str(answer["text"])[-LOG_CHARACTERS:]}

    async def _bundle(self, asked: Asked) -> Result:
        """The last part is the result; the others come before it, one when the broker has the last."""
        wanted = asked.command
        assert isinstance(wanted, commands.Bundle)
        data = await asyncio.to_thread(pack, await self._files(wanted.lines))
        if len(data) > MOST_BYTES:
            raise RefusedError("failed", f"the bundle has {len(data)} bytes; ask for fewer lines")
        *before, last = parts(data, lambda piece: base64.b64encode(piece).decode())
        for part in before:
            await asked.deliver(part)
        return last

    async def _files(self, lines: int) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        for service in LOGGED:
            files[f"log/{service}.txt"] = await self._text("log", service=service, lines=lines)
        files["doctor.json"] = await self._text("doctor")
        files["config/mien.json"] = configuration(SYSTEM_CONFIG)
        files["config/link.json"] = configuration(self._config)
        files["status.json"] = msgspec.json.format(msgspec.json.encode(self._snapshot.status), indent=2)
        files["health.json"] = msgspec.json.format(msgspec.json.encode(self._snapshot.health), indent=2)
        return files

    async def _text(self, verb: str, **arguments: Any) -> bytes:
        """What the helper says, or why it does not: a bundle without one file is better than none."""
        try:
            return str((await self._control.ask(verb, **arguments))["text"]).encode()
        except RefusedError as error:
            return f"{error}".encode()


def _rows(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise RefusedError("failed", f"mien doctor answered no JSON: {text[:200]}") from None
