"""The page of `mien converse report --html` in a browser: read at any width, and without a request."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from mien.converse.visit.log.line import visit_line
from mien.converse.visit.log.page import page as html_of
from mien.converse.visit.log.report import report
from mien.converse.visit.record import Record

S = 1_000_000_000
NOON = datetime(2030, 5, 1, 12).astimezone()
SMALLEST_PX = 12
TEXT_SIZES = """
() => [...document.querySelectorAll("body *")]
  .filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.textContent.trim()))
  .filter(node => node.getClientRects().length)
  .map(node => parseFloat(getComputedStyle(node).fontSize))
"""
CUT_OFF = """
() => [...document.querySelectorAll("dd, dt, td, th, h1, h2, .bars span, .bars div, .columns b, .columns u")]
  .filter(node => node.getClientRects().length)
  .filter(node => { const box = node.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth })
  .map(node => node.textContent)
"""


def month() -> str:
    lines = [
        visit_line(
            Record(began_ns=S, began_by="pir", greeted_ns=2 * S, ended_ns=60 * S, ended=ended, questions=1, refused=1),
            NOON + timedelta(days=day, hours=hour),
            latencies_ms=({"all": 640.0},),
            unanswered=("who painted the large blue picture in the second hall on the upper floor, by the stairs",),
        )
        for day in range(31)
        for hour in range(-3, 6)
        for ended in ("word", "touch", "left")
    ]
    return html_of(report("2030-05", lines))


@pytest.mark.parametrize("width", [1200, 768, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_is_inside_and_large_enough(
    browser: Browser, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    file = tmp_path / "report.html"
    file.write_text(month())
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    assert min(page.evaluate(TEXT_SIZES)) >= SMALLEST_PX
    assert asked == [file.as_uri()]
    context.close()
