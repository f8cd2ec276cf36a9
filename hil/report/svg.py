"""Drawings as inline SVG."""

from html import escape
from typing import Any, Final

WIDTH: Final = 760
HEIGHT: Final = 200
LEFT: Final = 56
BOTTOM: Final = 30
INKS: Final = ("#1f6f8b", "#c8553d", "#5b8c5a", "#7b5ea7", "#b8860b", "#444")


def draw(drawing: dict[str, Any]) -> str:
    """A waveform or a set of curves, as Findings keeps it."""
    return _waveform(drawing) if drawing["kind"] == "waveform" else _curves(drawing)


def _waveform(drawing: dict[str, Any]) -> str:
    seconds = max(drawing["seconds"], 1e-6)
    count, middle, reach = len(drawing["low"]), (HEIGHT - BOTTOM) / 2, (HEIGHT - BOTTOM) / 2 - 4
    step = (WIDTH - LEFT) / max(1, count)
    top = " ".join(f"{LEFT + i * step:.1f},{middle - value * reach:.1f}" for i, value in enumerate(drawing["high"]))
    low = " ".join(
        f"{LEFT + i * step:.1f},{middle - value * reach:.1f}" for i, value in reversed(list(enumerate(drawing["low"])))
    )
    body = f'<polygon points="{top} {low}" fill="{INKS[0]}"/>'
    return _framed(body + _marks(drawing["marks"], 0.0, seconds) + _axis(0.0, seconds, "s"))


def _curves(drawing: dict[str, Any]) -> str:
    points = [point for curve in drawing["curves"].values() for point in curve]
    if not points:
        return "<p>nothing was measured</p>"
    x0, x1 = _span([x for x, _ in points])
    y0, y1 = _span([y for _, y in points])
    body = ""
    for number, (name, curve) in enumerate(drawing["curves"].items()):
        ink = INKS[number % len(INKS)]
        line = " ".join(f"{_x(x, x0, x1):.1f},{_y(y, y0, y1):.1f}" for x, y in curve)
        body += f'<polyline points="{line}" fill="none" stroke="{ink}" stroke-width="1.3"/>'
        body += f'<text x="{LEFT + 8 + 130 * number}" y="12" fill="{ink}">{escape(name)}</text>'
    for value in (y0, (y0 + y1) / 2, y1):
        body += f'<text x="{LEFT - 6}" y="{_y(value, y0, y1) + 4:.0f}" text-anchor="end">{value:.4g}</text>'
    body += f'<text x="4" y="12">{escape(drawing["y"])}</text>'
    return _framed(body + _marks(drawing["marks"], x0, x1) + _axis(x0, x1, drawing["x"]))


def _framed(body: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" role="img" font-family="system-ui" font-size="11">'
        f'<rect x="{LEFT}" y="18" width="{WIDTH - LEFT}" height="{HEIGHT - BOTTOM - 18}" fill="#f6f5f2"/>{body}</svg>'
    )


def _axis(x0: float, x1: float, name: str) -> str:
    ticks = "".join(
        f'<text x="{_x(value, x0, x1):.0f}" y="{HEIGHT - 14}" text-anchor="middle">{value:.4g}</text>'
        for value in (x0 + (x1 - x0) * share for share in (0.05, 0.25, 0.5, 0.75, 0.95))
    )
    return ticks + f'<text x="{(WIDTH + LEFT) / 2:.0f}" y="{HEIGHT - 2}" text-anchor="middle">{escape(name)}</text>'


def _marks(marks: dict[str, float], x0: float, x1: float) -> str:
    drawn = ""
    for number, (name, at) in enumerate(marks.items()):
        x = _x(at, x0, x1)
        drawn += (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="18" y2="{HEIGHT - BOTTOM}" stroke="#c8553d" stroke-dasharray="3 2"/>'
        )
        drawn += f'<text x="{x + 3:.1f}" y="{30 + 12 * (number % 5)}" fill="#a33">{escape(name)}</text>'
    return drawn


def _span(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.05 * (high - low) or max(0.5, abs(high) * 0.05)
    return low - margin, high + margin


def _x(value: float, x0: float, x1: float) -> float:
    return LEFT + (value - x0) / (x1 - x0) * (WIDTH - LEFT) if x1 > x0 else LEFT


def _y(value: float, y0: float, y1: float) -> float:
    return HEIGHT - BOTTOM - (value - y0) / (y1 - y0) * (HEIGHT - BOTTOM - 22)
