"""The rig's self-test: which part of a bench does not work. Needs a board that boots, and touches no card."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hil.analysis import onsets
from hil.errors import RigError
from hil.rig import Rig
from hil.stages import wait_until


@dataclass(frozen=True, slots=True)
class Verdict:
    """part: as the wiring guide names it. works: None where it was not asked, because what it needs does not work."""

    part: str
    works: bool | None
    said: str


def diagnose(rig: Rig) -> Iterator[Verdict]:
    """Each part in turn, the ones that others need first."""
    broken: set[str] = set()
    for part, needs, check in CHECKS:
        if missing := sorted(broken & needs):
            broken.add(part)
            yield Verdict(part, None, f"not asked: it needs {' and '.join(missing)}")
            continue
        try:
            yield Verdict(part, True, check(rig))
        except RigError as error:
            broken.add(part)
            yield Verdict(part, False, str(error))
        except Exception as error:  # a part that fails in a way that nobody foresaw is broken all the same
            broken.add(part)
            yield Verdict(part, False, f"{type(error).__name__}: {error}")


def _power(rig: Rig) -> str:
    rig.power.cut()
    if rig.power.is_on:
        raise RigError("power", "it was cut, and says that it is on")
    rig.plug_screen()
    rig.power.on()
    if not rig.power.is_on:
        raise RigError("power", "it was switched on, and says that it is off")
    return "switched off and on"


def _console(rig: Rig) -> str:
    def answers() -> bool:
        try:
            return rig.console.run("echo rig", 10 * rig.patience).output == "rig"
        except RigError:
            return False

    took_s = wait_until(answers, 120 * rig.patience, "answer on the console: is the board's card one that boots?", 1.0)
    uptime = float(rig.console.run("cut -d' ' -f1 /proc/uptime", 20 * rig.patience).output)
    return f"a shell {took_s:.0f} s after power, up for {uptime:.0f} s"


def _power_is_the_boards(rig: Rig) -> str:
    """A switch that feeds something else would leave the board's boot as it is."""
    before = rig.console.run(
        "cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22", 20 * rig.patience
    )
    rig.power.cut()
    try:
        rig.console.run("true", 3)
    except RigError:
        pass
    else:
        raise RigError("power", "it was cut, and the board still answers: the switch feeds something else")
    rig.console.close()
    rig.power.on()
    _console(rig)
    after = rig.console.run("cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22", 20 * rig.patience)
    if before == after:
        raise RigError("power", "the board is still in the boot of before: the switch feeds something else")
    return "the board starts anew when it is cut"


def _screen(rig: Rig) -> str:
    spans: list[int] = []

    def shows() -> bool:
        try:
            spans.append(int(rig.screen.frame().pixels.max()))
        except RigError:
            return False
        return spans[-1] > 30

    try:
        wait_until(shows, 120 * rig.patience, "picture", 0.5)
    except RigError:
        why = (
            "it gives pictures, all black: is the board's display on?"
            if spans
            else "it gives no picture: is HDMI plugged in?"
        )
        raise RigError("screen", why) from None
    height, width = rig.screen.frame().pixels.shape[:2]
    frames = rig.screen.record(2 * min(rig.patience, 5.0))
    return f"{width}x{height}, {len(frames)} pictures in {(frames[-1].time_ns - frames[0].time_ns) / 1e9:.1f} s"


def _voice(rig: Rig) -> str:
    def answers() -> bool:
        try:
            with rig.voice.connect() as client:
                return client.ping() >= 0
        except RigError:
            return False

    took_s = wait_until(
        answers, 60 * rig.patience, "answer from mien-voice: is it up? is this host allowed to log in?", 1.0
    )
    return f"mien-voice answers after {took_s:.0f} s"


def _ears(rig: Rig) -> str:
    from hil.speech import clicks

    rig.ears.start()
    with rig.voice.connect() as client:
        client.say(clicks(2000))
    time.sleep(0.5 * rig.patience)
    sound = rig.ears.sound()
    heard = len(onsets.click_times_ns(sound))
    if not len(sound.pcm) or not sound.pcm.any():
        raise RigError("ears", "it hears nothing at all: is the board's line output plugged into it? is it muted?")
    if heard != 3:
        level = int(abs(sound.pcm.astype(int)).max())
        raise RigError(
            "ears", f"of 3 clicks it heard {heard}, loudest {level} of 32767: too quiet, too loud, or too noisy"
        )
    return f"3 of 3 clicks, loudest {int(abs(sound.pcm.astype(int)).max())} of 32767"


def _net(rig: Rig) -> str:
    carrier = "cat /sys/class/net/$(ls /sys/class/net | grep -vx lo | grep -v bonding | head -n1)/carrier"
    rig.net.plug()
    wait_until(
        lambda: rig.console.run(carrier, 20 * rig.patience).output == "1",
        15 * rig.patience,
        "carrier with the cable in",
    )
    rig.net.unplug()
    try:
        wait_until(
            lambda: rig.console.run(carrier, 20 * rig.patience).output != "1",
            15 * rig.patience,
            "loss of the carrier with the cable out",
        )
    finally:
        rig.net.plug()
    return "the board sees the cable go and come"


Check = Callable[[Rig], str]
CHECKS: tuple[tuple[str, frozenset[str], Check], ...] = (
    ("power", frozenset(), _power),
    ("console", frozenset({"power"}), _console),
    ("power is the board's", frozenset({"power", "console"}), _power_is_the_boards),
    ("screen", frozenset({"power"}), _screen),
    ("voice stack", frozenset({"power", "console"}), _voice),
    ("ears", frozenset({"voice stack"}), _ears),
    ("net", frozenset({"console"}), _net),
)
