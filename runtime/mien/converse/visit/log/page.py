"""The report as one HTML page that needs nothing else: no script, no font, no request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from mien.converse.visit.log.report import Report

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
svg { width: 100%; height: auto } svg text { fill: var(--soft); font-size: 11px } svg .v { fill: var(--ink) }
svg rect { fill: var(--bar) }
"""


def page(report: Report) -> str:
    """The page."""
    share = "–" if report.answered_share is None else f"{100 * report.answered_share:.0f} %"
    middle = "–" if report.median_s is None else f"{report.median_s:.0f} s"
    figures = {
        "visits": str(report.visits),
        "questions": str(report.questions),
        "answered": share,
        "median length": middle,
        "with a touch": str(report.by_touch),
        "calls, unanswered": f"{report.calls}, {report.calls_unanswered}",
    }
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in figures.items())
    sections = [
        f"<h1>Visits</h1><p class=of>{escape(report.period)}</p><dl>{cells}</dl>",
        f"<h2>From greeting to a person</h2>{_bars({'visits': report.visits, **report.funnel})}",
        f"<h2>Visits by hour</h2>{_columns(report.by_hour)}",
        f"<h2>How they ended</h2>{_bars(report.ended)}",
        _latencies(report),
        _unanswered(report),
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
    rows = []
    for number, (name, value) in enumerate(values.items()):
        top, wide = 26 * number, 440 * value / most
        rows.append(
            f'<text x="0" y="{top + 16}">{escape(name)}</text><rect x="150" y="{top + 4}" width="{wide:.1f}" '
            f'height="16" rx="2"/><text class=v x="{156 + wide:.1f}" y="{top + 16}">{value}</text>'
        )
    return f'<svg viewBox="0 0 640 {26 * len(values)}" role="img">{"".join(rows)}</svg>'


def _columns(values: Sequence[int]) -> str:
    """Columns, one an hour."""
    most = max(1, *values)
    marks = []
    for hour, value in enumerate(values):
        left, high = 26.6 * hour, 100 * value / most
        marks.append(f'<rect x="{left:.1f}" y="{114 - high:.1f}" width="20" height="{high:.1f}" rx="2"/>')
        if value:
            marks.append(f'<text class=v x="{left + 10:.1f}" y="{110 - high:.1f}" text-anchor="middle">{value}</text>')
        if hour % 3 == 0:
            marks.append(f'<text x="{left + 10:.1f}" y="130" text-anchor="middle">{hour}</text>')
    return f'<svg viewBox="0 0 640 136" role="img">{"".join(marks)}</svg>'


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
