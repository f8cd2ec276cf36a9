"""How long a picture takes to draw, so that the pose can be the one of the refresh that it will really make."""

RISE = 0.5  # a slower picture is believed quickly,
FALL = 0.05  # a faster one slowly: a pose aimed one refresh too far is early, one aimed too near is late


class DrawCost:
    """A smoothed upper estimate, in ns."""

    def __init__(self) -> None:
        self._estimate_ns = 0.0

    @property
    def estimate_ns(self) -> int:
        """What the next picture will probably take."""
        return round(self._estimate_ns)

    def observe(self, cost_ns: int) -> None:
        """One picture took this long."""
        gain = RISE if cost_ns > self._estimate_ns else FALL
        self._estimate_ns += gain * (cost_ns - self._estimate_ns)
