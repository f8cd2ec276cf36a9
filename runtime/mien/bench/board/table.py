"""The README's table of boards, made from the published files."""

from collections.abc import Sequence
from typing import Final

from mien.bench.board.report import BoardReport, Figure, Spread

BEGIN: Final = "<!-- boards: made by `make boards` from docs/boards/*.json -->"
END: Final = "<!-- /boards -->"
FOLDER: Final = "docs/boards"
SHOWN_SIZE: Final = (720, 1280)
COLUMNS: Final = (
    "measured on",
    "first sound",
    "the same, under load",
    "first motion",
    "barge-in",
    "A/V offset",
    f"frame {SHOWN_SIZE[0]}x{SHOWN_SIZE[1]}",
    "processor, talking: voice + face",
    "memory: voice + face",
    "highest temperature",
)
NONE: Final = "not measured"
KINDS: Final = {"board": "", "emulated": ", **emulated**", "desktop": ", **not a board**"}
ORDER: Final = ("board", "emulated", "desktop")


def table_of(reports: Sequence[BoardReport]) -> str:
    """The table: boards first, then by name. Times are p95 in ms."""
    ordered = sorted(reports, key=lambda report: (ORDER.index(report.kind), report.name))
    rows = [COLUMNS, ["---"] * len(COLUMNS), *map(_row, ordered)]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def placed(readme: str, table: str) -> str:
    """The README with the table between its markers. Raises ValueError without exactly one pair of markers."""
    before, begun, rest = readme.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended or BEGIN in after or END in after:
        raise ValueError(f"README.md needs one line {BEGIN} and below it one line {END}")
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def _row(report: BoardReport) -> Sequence[str]:
    frame = next((each for each in report.frames if (each.width, each.height) == SHOWN_SIZE), None)
    name = report.facts.model.value or report.note or report.name
    sound = "" if report.facts.sink == "alsa" else " (null sink)"
    return (
        f"[{name}]({FOLDER}/{report.name}.md){KINDS[report.kind]}, mien {report.facts.mien}",
        _ms(report.latency.first_sound_burst_ms) + sound,
        _ms(report.loaded.first_sound_burst_ms),
        _ms(report.latency.first_motion_burst_ms),
        _ms(report.latency.barge_in_sound_ms),
        _ms(report.offset.absolute_ms),
        _ms(frame.drawn_ms) if frame else NONE,
        _both([service.talking.cpu_percent for service in report.services], "%"),
        _both([service.talking.pss_mb for service in report.services], " MB"),
        _one(report.heat.highest_c, " °C"),
    )


def _ms(spread: Spread) -> str:
    return NONE if spread.p95 is None else f"{spread.p95:.0f} ms"


def _one(figure: Figure, unit: str) -> str:
    return NONE if figure.value is None else f"{figure.value:.0f}{unit}"


def _both(figures: Sequence[Figure], unit: str) -> str:
    return " + ".join(_one(figure, unit) for figure in figures)
