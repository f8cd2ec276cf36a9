"""Renders report.html, a single page, from the findings of all rigs.

python -m hil.report.page build/hil
"""

import datetime
import sys
from html import escape
from pathlib import Path
from typing import Any, Final

from hil.report.findings import Findings
from hil.report.svg import draw

STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h1{font-weight:600}h2{margin-top:3rem;border-bottom:2px solid #1f6f8b}h3{margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:14px}
td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #ddd;
vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.emulated{background:#fdf3e1;border-left:4px solid #b8860b;padding:.6rem 1rem}
.passed{color:#2c6e31}.failed,.error{color:#b3261e;font-weight:600}.skipped{color:#8a6d00}
figure{display:inline-block;margin:.5rem 1rem .5rem 0}figure img{max-width:170px;border:1px solid #ccc}
figcaption{font-size:13px;color:#555;max-width:170px}pre{white-space:pre-wrap;font-size:12px;margin:0}
"""
ORDER: Final = ("failed", "error", "skipped", "passed")


def page(runs: list[Findings], left_out: str = "") -> str:
    """The whole page. left_out: what was not run and why, one per line."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    body = "".join(_run(run) for run in runs)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>mien: rig results</title>'
        f"<style>{STYLE}</style><h1>mien: rig results</h1><p>Made {now}. "
        f"{'; '.join(escape(_summary(run)) for run in runs)}.</p>{_left_out(left_out)}{body}</html>"
    )


def _left_out(lines: str) -> str:
    return f"<h3>Not run</h3><pre>{escape(lines)}</pre>" if lines else ""


def _summary(run: Findings) -> str:
    counts = {kind: sum(result["outcome"] == kind for result in run.results) for kind in ORDER}
    return f"{run.rig}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def _run(run: Findings) -> str:
    parts = [f"<h2>{escape(run.rig)}</h2>"]
    if run.emulated:
        parts.append(f'<p class="emulated"><b>Emulated.</b> {escape(run.emulated)}</p>')
    parts.append(_table((), [(escape(name), f"<code>{escape(value)}</code>") for name, value in run.identity.items()]))
    if run.figures:
        parts.append(
            "<h3>Figures</h3>" + _table(("what", "measured", "must be", ""), [_figure(f) for f in run.figures])
        )
    if run.screenshots:
        shown = "".join(
            f'<figure><img alt="" src="data:image/png;base64,{p["png"]}"><figcaption>{escape(p["title"])}'
            "</figcaption></figure>"
            for p in run.screenshots
        )
        parts.append(f"<h3>Screenshots</h3>{shown}")
    parts += [f"<h3>{escape(drawing['title'])}</h3>{draw(drawing)}" for drawing in run.drawings]
    rows = sorted(run.results, key=lambda result: ORDER.index(result["outcome"]))
    if rows:
        parts.append("<h3>Tests</h3>" + _table(("test", "", "s", ""), [_result(row) for row in rows]))
    return "".join(parts)


def _figure(figure: dict[str, Any]) -> tuple[str, ...]:
    value = f"{figure['value']} {figure['unit']}".strip()
    return escape(figure["name"]), f"<!--n-->{escape(value)}", escape(figure["must"]), escape(figure["note"])


def _result(result: dict[str, Any]) -> tuple[str, ...]:
    outcome = result["outcome"]
    return (
        escape(result["name"]),
        f'<span class="{outcome}">{outcome}</span>',
        f"<!--n-->{result['seconds']:.1f}",
        f"<pre>{escape(result['why'])}</pre>",
    )


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in heads)}</tr>" if heads else ""
    cells = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f"<table>{head}{cells}</table>"


def _cell(cell: str) -> str:
    return f'<td class="n">{cell[8:]}</td>' if cell.startswith("<!--n-->") else f"<td>{cell}</td>"


def main() -> int:
    """Render the *.json files of a folder into its report.html."""
    folder = Path(sys.argv[1])
    runs = [Findings.load(path) for path in sorted(folder.glob("*.findings.json"))]
    left_out = folder / "left-out.txt"
    (folder / "report.html").write_text(page(runs, left_out.read_text() if left_out.exists() else ""))
    print(folder / "report.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
