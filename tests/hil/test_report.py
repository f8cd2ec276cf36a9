"""The report: one page with everything in it."""

import html.parser
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from hil.captured import Sound
from hil.report.findings import Findings
from hil.report.page import page
from hil.report.svg import draw


@pytest.fixture
def found():
    found = Findings(rig="bench <1>", emulated="nothing & all", identity={"image SHA-256": "ab" * 32})
    found.figure("barge-in", 61.99951, "ms", must="at most 150 ms")
    found.waveform(
        "cut", Sound(0, 1000, (1000 * np.sin(np.arange(3000))).astype(np.int16)), {"interrupt": 1_500_000_000}
    )
    found.curve("drift", "s", "ms", {"offset": ([0, 1, 2], [3, 4, 5]), "none": ([], [])}, {"here": 1.0})
    found.results = [
        {"name": "test_a", "outcome": "passed", "seconds": 1.2, "why": ""},
        {"name": "test_b", "outcome": "failed", "seconds": 0.1, "why": "<boom>"},
    ]
    return found


class Checker(html.parser.HTMLParser):
    """Every tag that is opened is closed, in order."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self):
        super().__init__()
        self.open = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_holds_all_of_it_and_needs_nothing_else(found):
    checker, text = Checker(), page([found])
    checker.feed(text)
    assert checker.open == []
    for shown in (
        "bench <1>",
        "nothing & all",
        "62.0 ms",
        "at most 150 ms",
        "test_b",
        "<boom>",
        "ab" * 32,
        "1 failed, 1 passed",
    ):
        assert shown in checker.text
    assert not re.findall(r'(?:src|href)="(?!data:)', text)


def test_what_failed_comes_first(found):
    text = page([found])
    assert text.index("test_b") < text.index("test_a")


def test_drawings_are_well_formed(found):
    for drawing in found.drawings:
        root = ET.fromstring(draw(drawing))
        numbers = [float(n) for shape in root.iter() for n in re.findall(r"-?\d+\.?\d*", shape.get("points", ""))]
        assert numbers
        assert 0 <= min(numbers) <= max(numbers) <= 760


def test_findings_survive_the_file(found, tmp_path):
    found.save(tmp_path / "a.findings.json")
    assert Findings.load(tmp_path / "a.findings.json") == found


def test_nothing_measured_is_said():
    assert "nothing was measured" in draw(
        {"kind": "curve", "title": "", "x": "", "y": "", "marks": {}, "curves": {"a": []}}
    )


def test_a_silent_waveform_can_be_drawn():
    found = Findings(rig="a", emulated="")
    found.waveform("silence", Sound(0, 1000, np.zeros(10, np.int16)))
    ET.fromstring(draw(found.drawings[0]))
