"""The buttons on the screen: what is shown, what a customer chooses. Pure; stepped once a frame."""

from collections.abc import Callable
from typing import Final, Literal

from mien.core import bus
from mien.face.overlay.button_grid import ButtonGrid
from mien.face.overlay.button_images import Button, ButtonSet
from mien.render.base import AS_PICTURE, Input, Key, Overlay, Pointer
from mien.text.typesetter import Image
from mien.units import NS_PER_MS, NS_PER_S

FADE_NS: Final = 140 * NS_PER_MS
# Buttons that change under a finger must not be chosen by it.
GUARD_NS: Final = 250 * NS_PER_MS
EVERY_NS: Final = 250 * NS_PER_MS  # between two choices: what a person can mean, and a key that bounces cannot
STUCK_NS: Final = 10 * NS_PER_S  # a finger that rests for longer is a wet spot or a broken panel
FLASH_NS: Final = 200 * NS_PER_MS  # how long a button that may be chosen again stays inverted
GLANCE_NS: Final = 1200 * NS_PER_MS
TOUCHED_EVERY_NS: Final = NS_PER_S

Report = Callable[[bus.ChoicesShown | bus.ChoiceMade | bus.Touched], None]
Finger = tuple[str, int]


class ChoiceButtons:
    """layers: of the overlay, one for each button, one for the ring, one for a QR code.

    report(message) tells the voice. ask(offer) requests the images, which later come with made(). shown: the buttons on
    the screen.
    """

    def __init__(
        self,
        grid: ButtonGrid,
        *,
        first_layer: int,
        ring: bool,
        open_overlay: Callable[[], Overlay],
        ask: Callable[[bus.Choices], None],
        report: Report,
    ) -> None:
        """ring: the focus is framed from the start."""
        self._grid = grid
        self._first, self._always_ring = first_layer, ring
        self._open_overlay, self._ask, self._report = open_overlay, ask, report
        self._offer: bus.Choices | None = None
        self.shown: ButtonSet | None = None
        self._coming = False
        self._level = 0.0
        self._last_ns = self._since_ns = 0
        self._focus = 0
        self._ring = ring
        self._ring_image: Image | None = None
        self._finger: Finger | None = None
        self._finger_ns = 0
        self._pressed = self._inside = -1
        self._chosen = -1
        self._chosen_ns = self._told_ns = -(1 << 62)
        self._inverted: list[bool] = []
        self._glance: tuple[float, float] | None = None
        self._glance_ns = 0
        self._dirty = False

    # What the voice and the text worker say

    def offer(self, offer: bus.Choices | None) -> None:
        """The voice's newest word; None without a voice, which could not be told of a choice."""
        if offer is self._offer or (offer is not None and offer == self._offer):
            return
        self._offer = offer
        self._release()
        if offer is not None and offer.items:
            self._coming = True
            self._ask(offer)
        else:
            self._coming = False

    def made(self, made: ButtonSet, now_ns: int) -> None:
        """The images that were asked for are there. Those of an older offer are dropped."""
        if self._offer is None or made.offer is not self._offer:
            return
        before, self.shown = self.shown, made
        self._coming = False
        if before is None or before.buttons is not made.buttons:
            overlay = self._open_overlay()
            for layer, button in enumerate(made.buttons):
                overlay.load(self._first + layer, button.plain)
            for layer in range(len(made.buttons), len(before.buttons) if before else 0):
                overlay.hide(self._first + layer)
            overlay.hide(self._qr_layer)
            if made.qr is not None:
                overlay.load(self._qr_layer, made.qr)
            self._ring_image = None
            self._inverted = [False] * len(made.buttons)
            self._focus, self._ring = 0, self._always_ring
            self._since_ns = now_ns
        self._chosen = -1
        self._dirty = True
        self._report(
            bus.ChoicesShown(epoch=0, number=made.offer.number, shortened=made.shortened, qr=made.qr is not None)
        )

    def step(self, now_ns: int) -> None:
        """Show what applies now. Costs next to nothing while nothing changes."""
        if self.shown is None:
            self._last_ns = now_ns
            return
        self._forget_stuck(now_ns)
        offer = self._offer
        wanted = offer is not None and (bool(offer.items) or self._coming)
        step, self._last_ns = min(1.0, max(0, now_ns - self._last_ns) / FADE_NS), now_ns
        level = min(1.0, self._level + step) if wanted else max(0.0, self._level - step)
        self._dirty |= level != self._level
        self._level = level
        if not wanted and not level:
            self._hide()
            return
        self._invert(now_ns)
        if self._dirty:
            self._place()

    # What the customer does

    def take(self, done: Input, now_ns: int) -> None:
        """A finger, the mouse or a key. The voice learns that somebody is there, at most once a second."""
        if isinstance(done, Key) or done.phase == "down":
            self._tell_presence(now_ns)
        if self.shown is None or not self._open(now_ns):
            if isinstance(done, Pointer) and done.phase == "up":
                self._release()
            return
        if isinstance(done, Key):
            self._take_key(done.name, self.shown.buttons, now_ns)
        else:
            self._take_pointer(done, self.shown.buttons, now_ns)

    def glance(self, now_ns: int) -> tuple[float, float] | None:
        """Where the eyes look because of a touch, as in `look_at`; None where clients want."""
        return self._glance if now_ns < self._glance_ns else None

    @property
    def live(self) -> bool:
        """Whether there are buttons to choose: inputs must then be read often."""
        return self.shown is not None and self._offer is not None and bool(self._offer.items)

    def caption_rise(self) -> int:
        """How far captions move up, in pixels."""
        return self._grid.caption_rise([button.box for button in self.shown.buttons]) if self.shown else 0

    def _take_key(self, name: str, buttons: tuple[Button, ...], now_ns: int) -> None:
        if name in ("next", "previous"):
            if self._ring:
                self._focus = (self._focus + (1 if name == "next" else -1)) % len(buttons)
            self._ring = self._dirty = True
        elif name == "choose":
            if self._ring:
                self._choose(self._focus, "key", now_ns)
            self._ring = self._dirty = True
        elif name.isdigit() and 1 <= int(name) <= len(buttons):
            self._choose(int(name) - 1, "key", now_ns)

    def _take_pointer(self, done: Pointer, buttons: tuple[Button, ...], now_ns: int) -> None:
        finger = (done.by, done.finger)
        x, y = done.x * self._grid.width, done.y * self._grid.height
        at = next((n for n, button in enumerate(buttons) if button.box.holds(x, y, self._grid.gap_px / 2)), -1)
        if done.phase == "down":
            if self._finger is None:
                self._finger, self._finger_ns = finger, now_ns
                self._pressed = self._inside = at
                self._ring = self._always_ring
                self._dirty = True
                if at >= 0:
                    self._look_at(at, now_ns)
        elif finger == self._finger:
            self._inside = at if at == self._pressed else -1
            if done.phase == "up":
                pressed, inside = self._pressed, self._inside
                self._release()
                if pressed >= 0 and inside == pressed:
                    self._choose(pressed, done.by, now_ns)

    def _choose(self, number: int, by: Literal["touch", "mouse", "key"], now_ns: int) -> None:
        offer, shown = self._offer, self.shown
        if offer is None or shown is None or shown.offer is not offer or now_ns - self._chosen_ns < EVERY_NS:
            return
        if self._chosen >= 0 and not offer.again:
            return
        self._chosen, self._chosen_ns = number, now_ns
        self._focus = number
        self._look_at(number, now_ns)
        self._report(bus.ChoiceMade(epoch=0, number=offer.number, id=shown.buttons[number].id, by=by, at_ns=now_ns))

    def _open(self, now_ns: int) -> bool:
        """Whether the buttons on the screen may be chosen: they are those of the offer, and have been there a while."""
        offer, shown = self._offer, self.shown
        return offer is not None and shown is not None and shown.offer is offer and now_ns - self._since_ns >= GUARD_NS

    def _look_at(self, number: int, now_ns: int) -> None:
        if self.shown is not None:
            self._glance = self._grid.direction(self.shown.buttons[number].box)
            self._glance_ns = now_ns + GLANCE_NS

    def _tell_presence(self, now_ns: int) -> None:
        if now_ns - self._told_ns >= TOUCHED_EVERY_NS:
            self._told_ns = now_ns
            self._report(bus.Touched(epoch=0))

    def _forget_stuck(self, now_ns: int) -> None:
        if self._finger is not None and now_ns - self._finger_ns >= STUCK_NS:
            self._release()

    def _release(self) -> None:
        self._finger = None
        self._pressed = self._inside = -1

    # What is drawn

    def _invert(self, now_ns: int) -> None:
        """Load the inverted image of what is pressed or chosen, the plain one of what is not any more."""
        offer, shown = self._offer, self.shown
        if shown is None:
            return
        flash_over = offer is not None and offer.again and now_ns - self._chosen_ns >= FLASH_NS
        for number, button in enumerate(shown.buttons):
            inverted = number == self._inside or (number == self._chosen and not flash_over)
            if inverted != self._inverted[number]:
                self._inverted[number] = inverted
                self._open_overlay().load(self._first + number, button.chosen if inverted else button.plain)
                self._dirty = True

    def _place(self) -> None:
        shown = self.shown
        if shown is None:
            return
        self._dirty = False
        overlay = self._open_overlay()
        for number, button in enumerate(shown.buttons):
            overlay.place(self._first + number, button.box.left, button.box.top, self._level)
        if shown.qr_box is not None:
            overlay.place(self._qr_layer, shown.qr_box.left, shown.qr_box.top, self._level, AS_PICTURE)
        if self._ring:
            image = shown.rings[self._focus]
            if image is not self._ring_image:
                self._ring_image = image
                overlay.load(self._ring_layer, image)
            box, reach = shown.buttons[self._focus].box, self._grid.ring_reach
            overlay.place(self._ring_layer, box.left - reach, box.top - reach, self._level)
        else:
            overlay.hide(self._ring_layer)

    def _hide(self) -> None:
        overlay = self._open_overlay()
        if self.shown is not None:
            for number in range(len(self.shown.buttons)):
                overlay.hide(self._first + number)
        overlay.hide(self._ring_layer)
        overlay.hide(self._qr_layer)
        self.shown, self._level = None, 0.0

    @property
    def _ring_layer(self) -> int:
        return self._first + len(self._grid.largest)

    @property
    def _qr_layer(self) -> int:
        return self._ring_layer + 1
