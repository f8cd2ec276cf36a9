"""When a silent device may be let go, and when it is wanted back."""

from mien.units import NS_PER_S


class IdleRelease:
    """Wants the device while there is speech, and for idle_s after the last of it; 0: always.

    A sign of coming speech (the agent listens, thinks, looks at somebody) counts as speech, so that the device is awake
    when the first chunk comes.
    """

    def __init__(self, idle_s: int, now_ns: int) -> None:
        self._idle_ns = idle_s * NS_PER_S
        self._last_ns = now_ns
        self._sign: object = None

    def wants_device(self, now_ns: int, *, busy: bool, sign: object) -> bool:
        """Whether the device is to be open. busy: a turn is unfinished. sign: of coming speech, whenever it changes."""
        if busy or sign != self._sign:
            self._last_ns, self._sign = now_ns, sign
        return not self._idle_ns or now_ns - self._last_ns < self._idle_ns
