"""The report as one HTML page that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from mien.converse.visit.log.report import Report

FEW_COLUMNS: Final = 24
NARROW_COLUMNS: Final = 12
ENDS: Final = {
    "word": "goodbye by voice",
    "touch": "goodbye by touch",
    "silence": "fell silent",
    "left": "walked away",
    "no_consent": "no consent",
    "person": "with a person",
    "shutdown": "the kiosk stopped",
}
_STYLE = """
:root { color-scheme: light dark; --ink: #17202a; --soft: #5d6b78; --bar: #2f6f8f; --line: #d8dee4; --ground: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf2; --soft: #9aa8b5; --bar: #6fb3d2; --line: #33404c;
  --ground: #141a20 } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 60rem;
  margin: 2.5rem auto; padding: 0 1.25rem }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem }
p.of { color: var(--soft); margin: .2rem 0 1.6rem }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; margin: 0 }
dt { color: var(--soft) } dd { font-size: 1.7rem; font-weight: 600; margin: 0 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .6rem .35rem 0;
  border-bottom: 1px solid var(--line) } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
dd small { display: block; font-size: .9rem; font-weight: 400; color: var(--soft); line-height: 1.2 }
.bars { display: grid; grid-template-columns: max-content 1fr; gap: .35rem .9rem; align-items: center }
.bars span { color: var(--soft) } .bars div { display: flex; align-items: center; gap: .5rem }
.bars i { background: var(--bar); height: 1rem; border-radius: 2px; min-width: 1px }
.columns { display: flex; gap: 2px; height: 11rem; border-bottom: 1px solid var(--line); margin-bottom: 3.2rem }
.columns div { flex: 1; position: relative; display: flex; flex-direction: column; justify-content: flex-end;
  align-items: center; font-size: .8rem; min-width: 0 }
.columns i { background: var(--bar); width: 100%; max-width: 3.5rem; border-radius: 2px 2px 0 0; flex: none }
.columns u { position: absolute; top: 100%; color: var(--soft); text-decoration: none; padding-top: .2rem;
  white-space: nowrap }
@media (max-width: 32rem) { .columns.many b { display: none } }
.columns b { font-weight: 400; font-variant-numeric: tabular-nums }
"""


def page(report: Report) -> str:
    """The page."""
    share = "–" if report.answered_share is None else f"{100 * report.answered_share:.0f} %"
    middle = "–" if report.median_s is None else f"{report.median_s:.0f} s"
    figures = {
        "visits": (f"{report.visits:,}", ""),
        "questions": (f"{report.questions:,}", ""),
        "answered": (share, ""),
        "median length": (middle, ""),
        "with a touch": (f"{report.by_touch:,}", ""),
        "calls": (f"{report.calls:,}", f"{report.calls_unanswered:,} unanswered" if report.calls else ""),
    }
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}{f'<small>{more}</small>' if more else ''}</dd></div>"
        for name, (value, more) in figures.items()
    )
    by_day = {str(int(day[8:])): count for day, count in report.by_day.items()}
    sections = [
        f"<h1>Visits</h1><p class=of>{escape(report.period)}</p><dl>{cells}</dl>",
        f"<h2>From greeting to a person</h2>{_bars({'visits': report.visits, **report.funnel})}",
        f"<h2>Visits by day</h2>{_columns(by_day)}" if len(by_day) > 1 else "",
        f"<h2>Visits by hour</h2>{_columns(_open_hours(report.by_hour))}",
        f"<h2>How they ended</h2>{_bars({ENDS.get(how, how): count for how, count in report.ended.items()})}",
        _latencies(report),
        _unanswered(report),
        f"<p>{report.unreadable:,} lines of the log could not be read.</p>" if report.unreadable else "",
    ]
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>Visits, {escape(report.period)}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _bars(values: Mapping[str, int]) -> str:
    """Horizontal bars with their names."""
    if not values:
        return "<p>none</p>"
    most = max(1, *values.values())
    rows = (
        f'<span>{escape(name)}</span><div><i style="width:{86 * value / most:.1f}%"></i>{value:,}</div>'
        for name, value in values.items()
    )
    return f"<div class=bars>{''.join(rows)}</div>"


def _columns(values: Mapping[str, int]) -> str:
    """Columns with their names: every one where there is room, or else every seventh; the highest has its number."""
    if not values:
        return "<p>none</p>"
    most, many = max(1, *values.values()), len(values) > FEW_COLUMNS
    marks = []
    for number, (name, value) in enumerate(values.items()):
        told = f"<b>{value:,}</b>" if value and (not many or value == most) else ""
        below = f"<u>{escape(name)}</u>" if not many or number % 7 == 0 else ""
        marks.append(
            f'<div title="{escape(name)}: {value:,}">{told}<i style="height:{84 * value / most:.1f}%"></i>{below}</div>'
        )
    said = ", ".join(f"{escape(name)}: {value:,}" for name, value in values.items())
    kind = "columns many" if len(values) > NARROW_COLUMNS else "columns"
    return f'<div class="{kind}" role="img" aria-label="{said}">{"".join(marks)}</div>'


def _open_hours(by_hour: Sequence[int]) -> dict[str, int]:
    """The hours from the first to the last with a visit."""
    used = [hour for hour, count in enumerate(by_hour) if count]
    return {str(hour): by_hour[hour] for hour in range(used[0], used[-1] + 1)} if used else {}


def _latencies(report: Report) -> str:
    if not report.latencies:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one.stage)}<td class=n>{one.median_ms:.0f}<td class=n>{one.p95_ms:.0f}"
        for one in report.latencies
    )
    head = "<tr><th>stage<th class=n>median, ms<th class=n>95 %, ms"
    return f"<h2>From the last word to the first sound</h2><table>{head}{rows}</table>"


def _unanswered(report: Report) -> str:
    if not report.unanswered:
        return ""
    rows = "".join(f"<tr><td>{escape(text)}<td class=n>{count}" for text, count in report.unanswered)
    return f"<h2>Questions without an answer</h2><table><tr><th>question<th class=n>times{rows}</table>"
