"""Untrusted text on the terminal: no markup, no emoji, no escape sequences."""

import io
import re

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from mien.bench.rows import Report, Row
from mien.cli import main, terminal
from mien.cli.bench import print_reports
from mien.cli.checks import Finding
from mien.cli.doctor import as_table
from mien.cli.watch import render
from mien.cli.watcher import WatchState
from mien.core.bus import Anchor, CaptionCue, Expression, FaceHealth, VoiceHealth
from mien.printable import one_line

NASTY = ("[/]", "[b]bold[/b]", ":smile:", "a[/b]b", "[link=x]", "\\[b]", "\x1b[2J\x9bm")


@pytest.fixture
def written(monkeypatch):
    """What data_console() writes to a terminal 200 columns wide."""
    file = io.StringIO()
    monkeypatch.setattr(
        terminal,
        "Console",
        lambda **options: Console(file=file, width=200, force_terminal=True, _environ={}, **options),
    )
    return file


def plain(file):
    """Without the colours that rich adds."""
    return re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())


def as_shown(text):
    return text.replace("\x1b", "\\x1b").replace("\x9b", "\\x9b")


@pytest.mark.parametrize("text", NASTY)
def test_a_finding_of_doctor(written, text):
    terminal.data_console().print(as_table([Finding(name="sound", verdict="bad", detail=f"<{text}>", remedy=text)]))
    assert f"<{as_shown(text)}>" in plain(written)


def test_doctors_table_fits_80_columns_and_wraps_only_what_is_long():
    file = io.StringIO()
    findings = [
        Finding(name="permissions", verdict="good", detail="the services are not installed on this machine"),
        Finding(name="clock", verdict="poor", detail="late", remedy="raise playback.buffer_ms to prevent clicks"),
    ]
    Console(file=file, width=80, _environ={}).print(as_table(findings))
    assert [line.rstrip() for line in file.getvalue().splitlines()] == [
        "good  permissions  the services are not installed on this machine",
        "poor  clock        late",
        "                   -> raise playback.buffer_ms to prevent clicks",
    ]


@pytest.mark.parametrize("text", NASTY)
def test_a_row_of_the_benchmarks(written, text):
    row = Row(name=f"<{text}>", value=None, unit="ms", samples=0, bar=None, note=f"({text})")
    print_reports([Report(benchmark="face", machine={"processor": text}, rows=(row,))])
    for found in (f"<{as_shown(text)}>", f"({as_shown(text)})", f"processor {as_shown(text)}"):
        assert found in plain(written)


@pytest.mark.parametrize("text", NASTY)
def test_what_watch_shows_of_clients(written, text):
    state = WatchState()
    now_ns = 10**9
    for message in (
        Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=0, phase="speaking", turn=f"<{text}>"),
        CaptionCue(epoch=1, turn=f"<{text}>", text=f"({text})"),
        Expression(epoch=1, state="idle", emotion=text, intensity=1.0),
        VoiceHealth(epoch=1, pid=1, level=text, clients=0, pss_mb=0, counters={text: 3}),
        FaceHealth(
            epoch=1,
            pid=1,
            level=text,
            fps=0,
            shown=0,
            missed=0,
            offset_median_ms=None,
            offset_p95_ms=None,
            motion_lead_ms=None,
            pss_mb=0,
            counters={},
            renderer=text,
        ),
    ):
        state.update(message, now_ns)
    terminal.data_console().print(render(state.snapshot(now_ns)))
    for found in (f"<{as_shown(text)}>", f"({as_shown(text)})", f"{as_shown(text)} 1.00", f"{as_shown(text)} 3"):
        assert found in plain(written)


@pytest.mark.parametrize("text", NASTY)
def test_what_say_shows_while_it_speaks(written, text):
    with terminal.heard_bar(f"<{text}>", shown=True) as update:
        update(100.0, 200.0)
    assert "0.1 of 0.2 s heard" in plain(written)
    assert one_line(f"<{text}>", 40) in plain(written)


def test_what_a_long_command_does(written):
    with terminal.data_console().status("looking") as status:
        for text in NASTY:
            terminal.teller(status)(text)
            status._live.refresh()
    for text in NASTY:
        assert as_shown(text) in plain(written)


@settings(max_examples=300)
@given(st.text())
def test_any_text_is_shown_and_cannot_steer(text):
    shown = terminal.shown(text).plain
    assert not any(letter < " " or letter == "\x7f" for letter in shown)


def test_joiners_of_scripts_stay():
    assert terminal.shown("نمی‌خواهم").plain == "نمی‌خواهم"


@pytest.mark.parametrize(
    "arguments",
    [
        ("record", "a.wav", "--out", "b.mp4", "--fps", "nan"),
        ("record", "a.wav", "--out", "b.mp4", "--fps", "inf"),
        ("record", "a.wav", "--out", "b.mp4", "--fps", "0"),
        ("record", "a.wav", "--out", "b.mp4", "--fps", "-1"),
        ("record", "a.wav", "--out", "b.mp4", "--fps", "1e400"),
        ("watch", "--once", "--timeout", "nan"),
        ("watch", "--json", "--interval", "nan"),
        ("say", "-", "--timeout", "nan"),
        ("bench", "--minutes", "nan"),
        ("bench", "--minutes", "inf"),
        ("bench", "--minutes", "-1"),
    ],
)
def test_a_number_that_is_none_is_refused_with_its_option(arguments):
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 2
    assert f"Invalid value for '{arguments[-2]}'" in refused.stderr
    assert "range" in refused.stderr or "not a finite number" in refused.stderr
