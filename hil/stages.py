"""The states of a board under test, and the way from one to the next: off, flashed, booted, ready."""

import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from hil.contracts import Done
from hil.errors import RigError
from hil.rig import Rig

BOOT_S = 60.0
READY_S = 60.0
LOOK_S = 0.05  # between two looks; each costs an emulated board time
LEAST_SPAN = 12  # grey levels, as mien.render.blank


class State(Enum):
    """Off: as it lies there. Flashed: off, its card as new. Booted: a shell answers. Ready: voice and face are up and
    a picture is on the screen."""

    UNKNOWN = 0
    OFF = 1
    FLASHED = 2
    BOOTED = 3
    READY = 4


class Stages:
    """Moves a rig's board. image: what is flashed. times_s: how long each state took to reach, of the rig's clock.

    sha256: the image's; a card that holds another is written anew. "": any card that was written will do.
    """

    def __init__(self, rig: Rig, image: Path, sha256: str = "") -> None:
        self.rig = rig
        self.image = image
        self._sha256 = sha256
        self.state = State.UNKNOWN
        self.times_s: dict[str, float] = {}
        self._on_ns = 0

    def to(self, wanted: State) -> None:
        """Go there by the shortest way; a board that is beyond it is switched off first. Raises RigError."""
        if wanted.value < self.state.value or self.state is State.UNKNOWN:
            self.rig.power.cut()
            self.rig.console.close()  # its line was that of the board that is gone
            self.state = State.OFF
        if wanted is State.READY and self.state is State.OFF and self._resumed():
            return
        for step, move in ((State.FLASHED, self._flash), (State.BOOTED, self._boot), (State.READY, self._await_ready)):
            if self.state.value < step.value <= wanted.value:
                if step is State.FLASHED and self._card_is_right() and wanted is not State.FLASHED:
                    self.state = step  # the card is in the board; only who asks for FLASHED wants it as new
                    continue
                move()
                self.state = step

    def lost(self) -> None:
        """The board was cut, or broken, by a test."""
        self.state = State.UNKNOWN

    def resumes(self) -> bool:
        """Whether a ready board of this image was kept; the board must be off, and is on when it is so."""
        return self._resumed()

    def services_ready(self) -> bool:
        """Whether everything that the target wants is up."""
        units = "$(systemctl show -p Wants --value mien.target)"
        found = self.rig.console.run(f"systemctl is-active {units} | grep -vcx active", 60 * self.rig.patience)
        return found.output == "0"

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
        wait_until(lambda: answers(self.rig, "true").status == 0, BOOT_S * self.rig.patience, "a shell on the board")
        self.times_s["power to shell"] = (self.rig.clock() - self._on_ns) / 1e9

    def _await_ready(self) -> None:
        wait_until(
            lambda: self.shows_face() and self.services_ready(),
            READY_S * self.rig.patience,
            "a face on the screen",
            every_s=min(1.0, LOOK_S * self.rig.patience),
        )
        self.times_s["power to ready"] = (self.rig.clock() - self._on_ns) / 1e9
        if self.rig.save is not None:
            answers(self.rig, "systemctl is-system-running --wait", 60)
            self.rig.save(self.times_s)

    def _resumed(self) -> bool:
        """Boots are slow on an emulated board: where one was kept in state ready, it goes on from there."""
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
        # A text console is black; a face stands before a background that is not.
        shown = spans and float(pixels[: len(pixels) // 8].mean()) > LEAST_SPAN
        if shown and not reached:
            self.times_s["power to first face"] = (self.rig.clock() - self._on_ns) / 1e9
        return shown


def answers(rig: Rig, command: str, within_s: float = 20.0) -> Done:
    """What a command on the board came to; status -1 where the board does not answer."""
    try:
        return rig.console.run(command, within_s * rig.patience)
    except RigError as error:
        return Done(-1, str(error))


def wait_until(condition: Callable[[], bool], within_s: float, what: str, every_s: float = 0.1) -> float:
    """Wait, on this machine's clock; returns how long it took. Raises RigError.

    Between two looks it waits at least three times as long as a look took: asking a service's state takes an emulated
    board a second, and would keep it from what is waited for.
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
