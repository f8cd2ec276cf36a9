"""A rig: the parts of one board's bench, and what they are."""

from collections.abc import Callable
from dataclasses import dataclass

from hil.contracts import Card, Clock, Console, Ears, Net, Power, Screen, VoiceStack


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """All parts of a bench. emulated: what of it is not a real board's, for every report; "" for a real board.

    clock: ns, the one on which screen and ears tell times. patience: by how much slower than real time the board is:
    every waiting time is multiplied by it. display: plugs and unplugs the screen's cable, where the rig can. settings:
    lays a configuration on the board while it is off or on. resume: goes on
    from the ready board that save() has kept, if there is one. close: gives everything back.
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
    plug_screen: Callable[[], None] | None = None
    unplug_screen: Callable[[], None] | None = None
    resume: Callable[[], bool] | None = None
    save: Callable[[], None] | None = None
    close: Callable[[], None] = lambda: None
