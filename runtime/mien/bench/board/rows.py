"""The report as rows beside the limits that `mien bench` has for them."""

from mien.bench.board.report import BoardReport, Figure, Spread
from mien.bench.rows import Report, Row


def rows_of(report: BoardReport) -> Report:
    """Every figure as a row. One that could not be measured has no limit, so that it misses none."""
    latency, offset, heat = report.latency, report.offset, report.heat
    rows = [
        _row("first sound, burst, p95", latency.first_sound_burst_ms, bar=60.0),
        _row("first sound, stream, p95", latency.first_sound_stream_ms),
        _row("first visible motion, burst, p95", latency.first_motion_burst_ms, bar=100.0),
        _row("first visible motion, stream, p95", latency.first_motion_stream_ms),
        _row("barge-in to last sample, p95", latency.barge_in_sound_ms, bar=50.0),
        _row("barge-in to lips closed, p95", latency.barge_in_lips_ms, bar=150.0),
        _row(f"first sound beside {report.loaded.processes} busy processes, p95", report.loaded.first_sound_burst_ms),
        _value("underruns of the sound card", latency.underruns, ""),
        _value("A/V offset, median", offset.median_ms, "ms"),
        _row("A/V offset, p95 of |offset|", offset.absolute_ms, bar=20.0),
        _row("frame interval on the screen, p95", report.on_screen.interval_ms),
        _value("frames missed while talking", report.on_screen.missed_percent, "%"),
    ]
    rows += [_row(f"frame of {frame.width}x{frame.height}, p95", frame.drawn_ms) for frame in report.frames]
    for service in report.services:
        for state, use in (("idle", service.idle), ("talking", service.talking)):
            rows += [
                _value(f"mien-{service.name}, {state}: processor", use.cpu_percent, "% of a core"),
                _value(f"mien-{service.name}, {state}: memory", use.pss_mb, "MB PSS"),
                _value(f"mien-{service.name}, {state}: resident", use.rss_mb, "MB RSS"),
            ]
    rows += [
        _value("temperature, start", heat.start_c, "C"),
        _value("temperature, highest", heat.highest_c, "C"),
        _value("frequency, lowest", heat.lowest_mhz, "MHz"),
    ]
    return Report(benchmark="board", rows=tuple(rows), machine=_machine(report))


def _machine(report: BoardReport) -> dict[str, str | int]:
    facts = report.facts
    named = {"model": facts.model.value, "cpu": facts.processor.value}
    return {
        **{key: value for key, value in named.items() if value is not None},
        "cores": facts.cores,
        "arch": facts.architecture,
        "python": facts.python,
        "interpreter": facts.interpreter.value or "none",
        "load": f"{facts.load_before:.2f}",
    }


def _row(name: str, spread: Spread, bar: float | None = None) -> Row:
    return Row(
        name=name,
        value=spread.p95,
        unit="ms",
        bar=None if spread.p95 is None else bar,
        samples=spread.samples,
        note=spread.reason,
    )


def _value(name: str, figure: Figure, unit: str) -> Row:
    return Row(name=name, value=figure.value, unit=unit, samples=int(figure.value is not None), note=figure.reason)
