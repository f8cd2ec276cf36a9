"""Inputs of the customer (fingers, mouse, keys) from SDL's events. Pure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Literal

from mien.render.base import Input, Key, Pointer

MOST: Final = 64  # between two frames; the oldest are dropped
_PHASES: Final[dict[str, Literal["down", "move", "up"]]] = {
    "FingerDown": "down",
    "FingerMotion": "move",
    "FingerUp": "up",
    "MouseButtonDown": "down",
    "MouseMotion": "move",
    "MouseButtonUp": "up",
}
_LEFT_BUTTON: Final = 1
_KEYS: Final = {
    **{str(number): str(number) for number in range(1, 10)},
    **{f"[{number}]": str(number) for number in range(1, 10)},  # the numeric pad
    "tab": "next",
    "right": "next",
    "down": "next",
    "left": "previous",
    "up": "previous",
    "return": "choose",
    "enter": "choose",
    "space": "choose",
}
_SHIFT: Final = 3  # KMOD_SHIFT: either shift key


def read(name: str, event: Any, size: tuple[int, int], key_name: Callable[[int], str]) -> Input | None:
    """The input of an event of this name; None for others. size: of the window. key_name: names a key code."""
    if name == "KeyDown":
        key = key_name(event.key)
        back = key == "tab" and event.mod & _SHIFT
        return Key("previous" if back else _KEYS.get(key, "other"))
    phase = _PHASES.get(name)
    if phase is None:
        return None
    if name.startswith("Finger"):
        return Pointer(phase, event.x, event.y, "touch", event.finger_id)
    if getattr(event, "touch", False):  # SDL makes mouse events of a finger's, which come by themselves too
        return None
    pressed = event.buttons[0] if name == "MouseMotion" else event.button == _LEFT_BUTTON
    return Pointer(phase, event.pos[0] / size[0], event.pos[1] / size[1], "mouse") if pressed else None


def upright(done: Input, quarter_turns: int) -> Input:
    """An input of a screen that hangs turned clockwise by quarter_turns, as of the upright screen."""
    if isinstance(done, Key):
        return done
    x, y = done.x, done.y
    for _ in range(quarter_turns % 4):
        x, y = y, 1.0 - x
    return replace(done, x=x, y=y)
