"""How long a picture takes to draw, so that the pose can be the one of the refresh that it will really make."""

STEP = 0.08  # of the estimate, a picture: a lasting change is followed in a few dozen, one slow picture changes little


class DrawCost:
    """A running median, in ns: it steps up past a dearer picture and down past a cheaper one."""

    def __init__(self) -> None:
        self._estimate_ns = 0.0

    @property
    def estimate_ns(self) -> int:
        """What the next picture will probably take."""
        return round(self._estimate_ns)

    def observe(self, cost_ns: int) -> None:
        """One picture took this long."""
        if not self._estimate_ns:
            self._estimate_ns = float(cost_ns)
        step = STEP * self._estimate_ns
        self._estimate_ns += min(max(cost_ns - self._estimate_ns, -step), step)
