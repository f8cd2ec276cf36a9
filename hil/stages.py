"""State machine of a board under test: off, flashed, booted, ready."""

import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Final

from hil.account import account
from hil.contracts import Done
from hil.errors import RigError
from hil.rig import Rig

BOOT_S = 60.0
READY_S = 60.0
LOOK_S = 0.05  # between two polls; each takes an emulated board time
LEAST_SPAN = 12  # grey levels, as mien.render.blank


# How many of them are neither active nor left out by a condition, which has been asked only once there is a time of it.
UNITS_NOT_READY: Final = (
    "systemctl show -p ActiveState,ConditionResult,ConditionTimestampMonotonic "
    "$(systemctl show -p Wants --value mien.target) | awk -v RS= '/ActiveState=active/ {next} "
    "/ActiveState=inactive/ && /ConditionResult=no/ && /ConditionTimestampMonotonic=[1-9]/ {next} "
    "{n++} END {print n+0}'"
)


class State(Enum):
    """OFF: powered off. FLASHED: off, with a freshly written card. BOOTED: a shell answers. READY: voice and face are
    up and the face is on the screen."""

    UNKNOWN = 0
    OFF = 1
    FLASHED = 2
    BOOTED = 3
    READY = 4


class Stages:
    """Moves a rig's board from state to state. times_s: how long each state took to reach, by the rig's clock.

    image: what to flash. sha256: of the image; a card that holds another image is rewritten. "": any written card.
    """

    def __init__(self, rig: Rig, image: Path, sha256: str = "") -> None:
        self.rig = rig
        self.image = image
        self._sha256 = sha256
        self.state = State.UNKNOWN
        self.times_s: dict[str, float] = {}
        self._on_ns = 0

    def to(self, wanted: State) -> None:
        """Move to a state by the shortest path; a board past it is switched off first. Raises RigError."""
        if wanted.value < self.state.value or self.state is State.UNKNOWN:
            self.rig.power.cut()
            self.rig.console.close()  # it was connected to the board before
            self.state = State.OFF
        if wanted is State.READY and self.state is State.OFF and self._resumed():
            return
        for step, move in ((State.FLASHED, self._flash), (State.BOOTED, self._boot), (State.READY, self._await_ready)):
            if self.state.value < step.value <= wanted.value:
                if step is State.FLASHED and self._card_is_right() and wanted is not State.FLASHED:
                    self.state = step  # the card is in the board and need not be fresh: only FLASHED asks for that
                    continue
                move()
                self.state = step

    def lost(self) -> None:
        """Mark the state as unknown: a test has cut or broken the board."""
        self.state = State.UNKNOWN

    def resumes(self) -> bool:
        """Resume a saved ready board of this image. The board must be off. Returns whether there was one."""
        return self._resumed()

    def services_ready(self) -> bool:
        """Whether every unit that mien.target wants is active, or was left out by its own condition, as a link is."""
        return self.rig.console.run(UNITS_NOT_READY, 60 * self.rig.patience).output == "0"

    def _card_is_right(self) -> bool:
        held = self.rig.card.sha256()
        return bool(held) and self._sha256 in ("", held)

    def _flash(self) -> None:
        self.rig.power.cut()
        self.rig.card.flash(self.image)

    def _boot(self) -> None:
        self.rig.plug_screen()
        self._on_ns = self.rig.clock() if self.rig.clock() else 0
        self.rig.power.on()
        try:
            wait_until(lambda: answers(self.rig, "true").status == 0, BOOT_S * self.rig.patience, "shell on the board")
        except RigError as error:
            raise RigError(error.part, f"{error.why}\n{self.rig.last_words()}") from None
        self.times_s["power to shell"] = (self.rig.clock() - self._on_ns) / 1e9

    def _await_ready(self) -> None:
        try:
            wait_until(
                lambda: self.shows_face() and self.services_ready(),
                READY_S * self.rig.patience,
                "face on the screen with every service active",
                every_s=min(1.0, LOOK_S * self.rig.patience),
            )
        except RigError as error:
            raise RigError(error.part, f"{error.why}\n{account(self.rig)}") from None
        self.times_s["power to ready"] = (self.rig.clock() - self._on_ns) / 1e9
        if self.rig.save is not None:
            answers(self.rig, "systemctl is-system-running --wait", 60)
            self.rig.save(self.times_s)

    def _resumed(self) -> bool:
        """Resume a saved ready board where the rig has one: booting an emulated board is slow."""
        if self.rig.resume is None or not self._card_is_right():
            return False
        self.rig.plug_screen()
        if (times_s := self.rig.resume()) is None:
            return False
        self.times_s = times_s | self.times_s
        self.state = State.READY
        return True

    def shows_face(self) -> bool:
        """Whether the screen is on and shows more than one colour."""
        try:
            pixels = self.rig.screen.frame().pixels
        except RigError:
            return False
        reached = "power to first face" in self.times_s
        spans = int(pixels.reshape(-1, 3).max(axis=0).max()) - int(pixels.reshape(-1, 3).min(axis=0).min()) > LEAST_SPAN
        # A text console is black; the face's background is not.
        shown = spans and float(pixels[: len(pixels) // 8].mean()) > LEAST_SPAN
        if shown and not reached:
            self.times_s["power to first face"] = (self.rig.clock() - self._on_ns) / 1e9
        return shown


def answers(rig: Rig, command: str, within_s: float = 20.0) -> Done:
    """Run a command on the board; status -1 if the board does not answer."""
    try:
        return rig.console.run(command, within_s * rig.patience)
    except RigError as error:
        return Done(-1, str(error))


def wait_until(condition: Callable[[], bool], within_s: float, what: str, every_s: float = 0.1) -> float:
    """Poll a condition; returns how long it took by this machine's clock. Raises RigError on timeout.

    Sleeps at least three times as long as a poll took: querying a service takes an emulated board a second, which
    would delay what is waited for.
    """
    began = time.monotonic()
    while True:
        asked = time.monotonic()
        if condition():
            return time.monotonic() - began
        now = time.monotonic()
        if now - began > within_s:
            raise RigError("board", f"no {what} within {within_s:.0f} s")
        time.sleep(max(every_s, 3 * (now - asked)))
