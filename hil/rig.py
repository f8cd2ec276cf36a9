"""A rig: the parts of one board's bench."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hil.contracts import Card, Clock, Console, Ears, Mouth, Net, Power, Screen, VoiceStack

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """All parts of a bench. emulated: how it differs from a real board, for the reports; "" for a real board.

    clock: ns, shared by screen and ears. patience: how many times slower than real time the board runs; every timeout
    is multiplied by it. plug_*, unplug_*: the screen's cable and a USB sound card, on rigs that can; the screen
    starts connected. usb_ears: records that card. mouth: speaks into its microphone. save: snapshots a ready board
    with the times it took to get there. resume: restores the snapshot and returns those times, or None without one.
    last_words: the end of what the board wrote to its console, where that is kept. close: releases everything.
    """

    name: str
    emulated: str
    patience: float
    clock: Clock
    screen: Screen
    ears: Ears
    power: Power
    net: Net
    console: Console
    card: Card
    voice: VoiceStack
    plug_screen: Callable[[], None] = lambda: None
    unplug_screen: Callable[[], None] | None = None
    plug_usb_card: Callable[[], None] | None = None
    unplug_usb_card: Callable[[], None] | None = None
    usb_ears: Ears | None = None
    mouth: Mouth | None = None
    resume: Callable[[], dict[str, float] | None] | None = None
    save: Callable[[dict[str, float]], None] | None = None
    last_words: Callable[[], str] = lambda: ""
    close: Callable[[], None] = lambda: None


def fitted(part: Part | None) -> Part:
    """A part that a test's lg_feature asks for: a rig with that feature has it."""
    assert part is not None, "this rig declares a feature whose part it lacks"
    return part
