"""The rig's self-test: find the broken part of a bench. Needs a board that boots; never touches the card."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hil.analysis import onsets
from hil.errors import RigError
from hil.rig import Rig
from hil.stages import wait_until


@dataclass(frozen=True, slots=True)
class Verdict:
    """part: its name in the wiring guide. works: None if it was not tested, because a part that it needs is broken."""

    part: str
    works: bool | None
    said: str


def diagnose(rig: Rig) -> Iterator[Verdict]:
    """Test each part, dependencies first."""
    broken: set[str] = set()
    for part, needs, check in CHECKS:
        if missing := sorted(broken & needs):
            broken.add(part)
            yield Verdict(part, None, f"not tested: it needs {' and '.join(missing)}")
            continue
        try:
            yield Verdict(part, True, check(rig))
        except RigError as error:
            broken.add(part)
            yield Verdict(part, False, str(error))
        except Exception as error:  # an unexpected failure still means that the part is broken
            broken.add(part)
            yield Verdict(part, False, f"{type(error).__name__}: {error}")


def _power(rig: Rig) -> str:
    rig.power.cut()
    if rig.power.is_on:
        raise RigError("power", "reports on after it was cut")
    rig.plug_screen()
    rig.power.on()
    if not rig.power.is_on:
        raise RigError("power", "reports off after it was switched on")
    return "switched off and on"


def _console(rig: Rig) -> str:
    def answers() -> bool:
        try:
            return rig.console.run("echo rig", 10 * rig.patience).output == "rig"
        except RigError:
            return False

    took_s = wait_until(answers, 120 * rig.patience, "answer on the console: does the board's card boot?", 1.0)
    uptime = float(rig.console.run("cut -d' ' -f1 /proc/uptime", 20 * rig.patience).output)
    return f"shell {took_s:.0f} s after power on, uptime {uptime:.0f} s"


def _power_is_the_boards(rig: Rig) -> str:
    """Detect a switch that powers something else: the board would not reboot."""
    before = rig.console.run(
        "cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22", 20 * rig.patience
    )
    rig.power.cut()
    try:
        rig.console.run("true", 3)
    except RigError:
        pass
    else:
        raise RigError("power", "the board still answers after the cut: the switch powers something else")
    rig.console.close()
    rig.power.on()
    _console(rig)
    after = rig.console.run("cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22", 20 * rig.patience)
    if before == after:
        raise RigError("power", "the board did not reboot: the switch powers something else")
    return "the board reboots when power is cut"


def _screen(rig: Rig) -> str:
    spans: list[int] = []

    def shows() -> bool:
        try:
            spans.append(int(rig.screen.frame().pixels.max()))
        except RigError:
            return False
        return spans[-1] > 30

    try:
        wait_until(shows, 120 * rig.patience, "frame", 0.5)
    except RigError:
        why = "all frames are black: is the board's display on?" if spans else "no frames: is HDMI plugged in?"
        raise RigError("screen", why) from None
    height, width = rig.screen.frame().pixels.shape[:2]
    frames = rig.screen.record(2 * min(rig.patience, 5.0))
    return f"{width}x{height}, {len(frames)} frames in {(frames[-1].time_ns - frames[0].time_ns) / 1e9:.1f} s"


def _voice(rig: Rig) -> str:
    def answers() -> bool:
        try:
            with rig.voice.connect() as client:
                return client.ping() >= 0
        except RigError:
            return False

    took_s = wait_until(answers, 60 * rig.patience, "answer from mien-voice: is it running? may this host log in?", 1.0)
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
        raise RigError("ears", "hears nothing at all: is the board's line output connected? is it muted?")
    if heard != 3:
        level = int(abs(sound.pcm.astype(int)).max())
        raise RigError("ears", f"heard {heard} of 3 clicks, peak {level} of 32767: too quiet, too loud or too noisy")
    return f"3 of 3 clicks, peak {int(abs(sound.pcm.astype(int)).max())} of 32767"


def _net(rig: Rig) -> str:
    carrier = "cat /sys/class/net/$(ls /sys/class/net | grep -vx lo | grep -v bonding | head -n1)/carrier"
    rig.net.plug()
    wait_until(
        lambda: rig.console.run(carrier, 20 * rig.patience).output == "1",
        15 * rig.patience,
        "carrier with the cable connected",
    )
    rig.net.unplug()
    try:
        wait_until(
            lambda: rig.console.run(carrier, 20 * rig.patience).output != "1",
            15 * rig.patience,
            "loss of carrier with the cable disconnected",
        )
    finally:
        rig.net.plug()
    return "the board sees the cable disconnected and reconnected"


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
