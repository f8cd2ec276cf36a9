"""The page of a report: Markdown, every figure with its reason where there is none."""

from collections.abc import Iterable, Sequence

from mien.bench.board.report import BoardReport, Fact, Figure, Spread, Throttling

KINDS = {
    "board": "a board",
    "emulated": "an **emulated** board: its times are those of an emulator, not of hardware",
    "desktop": "a desktop or server, **not a board**",
}


def page_of(report: BoardReport) -> str:
    """The whole page, which ends with a newline."""
    sections = (
        _head(report),
        _table("The machine", ("", ""), _facts(report)),
        _table("Latency, in ms", SPREAD, _latency(report)),
        _table("A/V offset from inside, in ms", SPREAD, _offset(report)),
        _table("Frames, in ms", SPREAD, _frames(report)),
        _table("Services", ("", "% of a core", "MB PSS", "MB RSS"), _services(report)),
        _table("Temperature", ("", ""), _heat(report)),
    )
    return "\n".join(sections)


SPREAD = ("", "p50", "p95", "p99", "samples", "")


def not_measured(reason: str) -> str:
    """What stands in place of a figure."""
    return f"not measured: {_text(reason)}"


def _head(report: BoardReport) -> str:
    note = f" {_text(report.note)}." if report.note else ""
    return (
        f"# {_text(report.facts.model.value or report.name)}\n\n"
        f"Measured on {report.date} by `mien bench board` in {report.took_s / 60:.1f} minutes, of which "
        f"{report.minutes:g} were asked for. This is {KINDS[report.kind]}.{note}\n\n"
        f"Made from [{report.name}.json]({report.name}.json).\n"
    )


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join([f"## {title}", "", *map(_line, (columns, ["---"] * len(columns), *rows)), ""])


def _line(cells: Sequence[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _facts(report: BoardReport) -> list[tuple[str, str]]:
    facts = report.facts
    return [
        ("model", _fact(facts.model)),
        ("processor", f"{_fact(facts.processor)}, {facts.cores} cores, {_text(facts.architecture)}"),
        ("memory", _figure(facts.memory_mb, " MB")),
        ("distribution", _fact(facts.distribution)),
        ("kernel", _text(facts.kernel)),
        ("Python", _text(facts.python)),
        ("interpreter of the model", _fact(facts.interpreter)),
        ("GL renderer", _fact(facts.gl_renderer)),
        ("screen", _fact(facts.screen)),
        ("sound card", _fact(facts.sound_card)),
        ("what played", "ALSA" if facts.sink == "alsa" else "the null sink, an ideal device without sound"),
        ("load before the run", f"{facts.load_before:g} running processes"),
        ("settings that are not the defaults", _text("; ".join(facts.settings)) or "none"),
        ("mien", f"{_text(facts.mien)}, commit {_fact(facts.commit)}"),
    ]


def _latency(report: BoardReport) -> list[tuple[str, ...]]:
    latency, loaded = report.latency, report.loaded
    return [
        ("first sound, speech sent at once", *_spread(latency.first_sound_burst_ms)),
        ("first sound, speech sent in real time", *_spread(latency.first_sound_stream_ms)),
        (f"first sound beside {loaded.processes} busy processes", *_spread(loaded.first_sound_burst_ms)),
        ("first visible motion, speech sent at once", *_spread(latency.first_motion_burst_ms)),
        ("first visible motion, speech sent in real time", *_spread(latency.first_motion_stream_ms)),
        ("barge-in to the last sample", *_spread(latency.barge_in_sound_ms)),
        ("barge-in to closed lips", *_spread(latency.barge_in_lips_ms)),
        ("underruns of the sound card in the whole run", *_single(latency.underruns)),
    ]


def _offset(report: BoardReport) -> list[tuple[str, ...]]:
    return [
        ("pose shown minus audio heard", *_single(report.offset.median_ms)),
        ("its absolute value", *_spread(report.offset.absolute_ms)),
    ]


def _frames(report: BoardReport) -> list[tuple[str, ...]]:
    screen = report.on_screen
    rows = [
        (f"drawn offscreen at {frame.width}x{frame.height} by {_fact(frame.device)}", *_spread(frame.drawn_ms))
        for frame in report.frames
    ]
    size = _fact(screen.size)
    return [
        *rows,
        (f"between frames of the talking face, {size}", *_spread(screen.interval_ms)),
        ("of them missed, in percent", *_single(screen.missed_percent)),
    ]


def _services(report: BoardReport) -> list[tuple[str, ...]]:
    return [
        (f"mien-{service.name}, {state}", _figure(use.cpu_percent), _figure(use.pss_mb), _figure(use.rss_mb))
        for service in report.services
        for state, use in (("idle", service.idle), ("talking", service.talking))
    ]


def _heat(report: BoardReport) -> list[tuple[str, str]]:
    heat = report.heat
    return [
        ("at the start", _figure(heat.start_c, " °C")),
        ("highest", _figure(heat.highest_c, " °C")),
        ("at the end", _figure(heat.end_c, " °C")),
        ("lowest frequency", _figure(heat.lowest_mhz, " MHz")),
        ("highest frequency", _figure(heat.highest_mhz, " MHz")),
        ("warnings during the run", _warnings(heat.throttling, heat.throttling.during)),
        ("warnings since boot", _warnings(heat.throttling, heat.throttling.since_boot)),
    ]


def _warnings(throttling: Throttling, seen: tuple[str, ...] | None) -> str:
    if seen is None:
        return not_measured(throttling.reason)
    return f"{_text(', '.join(seen)) or 'none'} ({_text(throttling.source)})"


def _fact(fact: Fact) -> str:
    return not_measured(fact.reason) if fact.value is None else _text(fact.value)


def _figure(figure: Figure, unit: str = "") -> str:
    return not_measured(figure.reason) if figure.value is None else f"{figure.value:g}{unit}"


def _spread(spread: Spread) -> tuple[str, ...]:
    if spread.p50 is None or spread.p95 is None or spread.p99 is None:
        return ("", "", "", "0", not_measured(spread.reason))
    return (f"{spread.p50:.1f}", f"{spread.p95:.1f}", f"{spread.p99:.1f}", str(spread.samples), "")


def _single(figure: Figure) -> tuple[str, ...]:
    """A single number in a table of percentiles."""
    if figure.value is None:
        return ("", "", "", "", not_measured(figure.reason))
    return (f"{figure.value:g}", "", "", "", "")


def _text(text: str) -> str:
    """Text from the machine, so that nothing in it is Markdown or HTML."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#!" else letter for letter in text)
