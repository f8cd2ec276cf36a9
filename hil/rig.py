"""A rig: the parts of one board's bench, and what they are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hil.contracts import Card, Clock, Console, Ears, Net, Power, Screen, VoiceStack

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """All parts of a bench. emulated: what of it is not a real board's, for every report; "" for a real board.

    clock: ns, the one on which screen and ears tell times. patience: by how much slower than real time the board is:
    every waiting time is multiplied by it. plug_..., unplug_...: the screen's cable and a USB sound card, where the rig
    can; a screen whose cable nobody pulls is in. usb_ears: hear that card. save: keeps a ready board, with the times
    that it took to become so. resume: goes on from the one that was kept, and tells those times; None when there is
    none. close: gives everything back.
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
    resume: Callable[[], dict[str, float] | None] | None = None
    save: Callable[[dict[str, float]], None] | None = None
    close: Callable[[], None] = lambda: None


def fitted(part: Part | None) -> Part:
    """A part that a test's lg_feature asks for: a rig with that feature has it."""
    assert part is not None, "this rig declares a feature whose part it lacks"
    return part
