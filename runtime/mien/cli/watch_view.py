"""The table that `mien watch` shows."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mien.cli.terminal import shown

_GONE = Text("not heard of", style="bold red")


def render(snapshot: dict[str, Any]) -> RenderableType:
    """A picture of one WatchState.snapshot()."""
    return Group(_speech(snapshot), _voice(snapshot["voice"]), _face(snapshot["face"]))


def _speech(snapshot: dict[str, Any]) -> Table:
    table = _table("speech")
    phase = snapshot["phase"] or "unknown"
    table.add_row("phase", shown(phase, style="bold green" if phase == "speaking" else "bold"))
    table.add_row("turn", shown(snapshot["turn"] or "-"))
    table.add_row("caption", shown(" ".join((snapshot["caption"] or "-").split())))
    media_ms = snapshot["media_ms"]
    table.add_row("heard", "-" if media_ms is None else f"{media_ms / 1000:.1f} s of this epoch")
    expression = snapshot["expression"]
    if expression:
        table.add_row("state", shown(expression["state"]))
        table.add_row("emotion", shown(f"{expression['emotion']} {expression['intensity']:.2f}"))
        x, y = expression["look_x"], expression["look_y"]
        table.add_row("gaze", "free" if x is None else f"{x:+.2f}, {y or 0:+.2f}")
    return table


def _voice(voice: dict[str, Any] | None) -> Table:
    table = _table("voice")
    if voice is None:
        table.add_row("", _GONE)
        return table
    table.add_row("level", shown(voice["level"]))
    table.add_row("clients", str(voice["clients"]))
    table.add_row("process", f"{voice['pid']}, {voice['pss_mb']:.0f} MB")
    table.add_row("counters", _counters(voice["counters"]))
    return table


def _face(face: dict[str, Any] | None) -> Table:
    table = _table("face")
    if face is None:
        table.add_row("", _GONE)
        return table
    table.add_row("level", shown(face["level"]))
    idle = ", idle" if face["idle"] else ""
    table.add_row("frames", f"{face['fps']:.1f} a second{idle}, {face['shown']} shown, {face['missed']} missed")
    table.add_row("A/V offset", f"median {_ms(face['offset_median_ms'])}, p95 {_ms(face['offset_p95_ms'])}")
    table.add_row("motion", f"{_ms(face['motion_lead_ms'])} ahead")
    table.add_row("renderer", shown(", ".join(filter(None, (face["renderer"], face["quality"]))) or "-"))
    table.add_row("process", f"{face['pid']}, {_mb(face['pss_mb'])}")
    table.add_row("counters", _counters(face["counters"]))
    return table


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=False, expand=True)
    table.add_column(width=12, style="dim")
    table.add_column(ratio=1)
    return table


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"


def _mb(value: float | None) -> str:
    return "memory unknown" if value is None else f"{value:.0f} MB"


def _counters(counters: dict[str, int]) -> Text:
    return shown(", ".join(f"{name} {count}" for name, count in sorted(counters.items())) or "-")
