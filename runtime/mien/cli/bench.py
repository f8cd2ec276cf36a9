"""The command `mien bench`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.table import Table
from rich.text import Text

from mien.bench.adapters.script import ADAPTERS, QUICK, SEGMENTS
from mien.bench.rows import Report, Row
from mien.cli.terminal import FiniteRange, data_console, shown, teller
from mien.host.exits import Exit, exit_codes

BENCHMARKS: Final = (
    "pipeline",
    "motion",
    "conversation",
    "face",
    "ear",
    "adapters",
    "converse",
    "visit",
    "link",
    "budget",
    "board",
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(BENCHMARKS))
@click.option("--utterances", default=30, show_default=True, type=click.IntRange(2, 1000))
@click.option(
    "--minutes",
    type=FiniteRange(0, 1440),
    help="For pipeline: of continuous speech, to measure drift [0]. For board: length of the run, 1 to 20 [10].",
)
@click.option(
    "--avatar",
    "avatars",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="For face: also measure this avatar, baked or .glb.",
)
@click.option(
    "--out",
    default=Path(),
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="For board: where NAME.json and NAME.md go [here].",
)
@click.option("--name", help="For board: name of the files [after the board].")
@click.option("--note", default="", help="For board: one line that a reader should know, such as the cooling.")
@click.option(
    "--set", "pairs", multiple=True, metavar="KEY=VALUE", help="For board: override a key of the configuration."
)
@click.option(
    "--adapter",
    "adapters",
    multiple=True,
    type=click.Choice(ADAPTERS),
    help="For adapters: which; `.ci/test-adapters --bench` runs each in an environment with its framework.",
)
@click.option("--seed", default=1, show_default=True, help="For adapters: of the script of 200 segments.")
@click.option(
    "--quick", is_flag=True, help="For ear, adapters, converse, visit, link: a smaller size, one to three minutes."
)
@click.option(
    "--processor",
    "processors",
    multiple=True,
    type=click.Choice(("pi4", "pi5")),
    help="For budget: whose instructions are counted [both].",
)
@click.option("--only", default="", metavar="TEXT", help="For budget: the stages whose name contains this.")
@click.option("--recogniser", is_flag=True, help="For ear: fetch a recogniser (113 MB), which counts word errors.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(
    names: tuple[str, ...],
    utterances: int,
    minutes: float | None,
    avatars: tuple[Path, ...],
    out: Path,
    name: str | None,
    note: str,
    pairs: tuple[str, ...],
    adapters: tuple[str, ...],
    seed: int,
    quick: bool,
    processors: tuple[str, ...],
    only: str,
    recogniser: bool,
    as_json: bool,
) -> None:
    """Measure this machine: latencies, A/V offset, barge-in, echo, memory, speed. Exits 1 when a target is missed.

    board measures everything that a board can show for ten minutes, with its own screen and sound card. It writes
    NAME.json and NAME.md, whether or not a target is missed, and sends nothing anywhere.

    budget counts the aarch64 instructions of each stage of a conversation, in an emulator that `make counter` builds.

    \b
    Examples: mien bench pipeline --minutes 10 --json
              mien bench face --avatar head.glb
              mien bench budget --processor pi4 --only motion
              mien bench board --note "passive heat sink, 21 degrees in the room"

    Exit codes: 0 done, 1 a target was missed or something could not run, 2 an argument must be corrected or mien is
    running already, 130 Ctrl-C.
    """
    if "board" in names:
        if names != ("board",):
            raise click.UsageError("board is measured alone: run the others before or after it")
        raise SystemExit(_board(minutes, name, note, out, pairs, as_json))
    if ("adapters" in names) != bool(adapters):
        raise click.UsageError("name an adapter: mien bench adapters --adapter pipecat")
    from mien.bench.adapters.run import run_adapter
    from mien.bench.conversation import run_conversation
    from mien.bench.ear import run_ear
    from mien.bench.face import run_face
    from mien.bench.motion import run_motion
    from mien.bench.pipeline import run_pipeline

    console = data_console(stderr=True)
    reports = []
    with exit_codes("mien bench"), console.status("starting") as status:
        if not names or "motion" in names:
            reports.append(run_motion(utterances, teller(status)))
        if not names or "pipeline" in names:
            reports.append(run_pipeline(utterances, minutes or 0.0, teller(status)))
        if not names or "conversation" in names:
            reports.append(run_conversation(utterances, teller(status)))
        if not names or "face" in names:
            reports.append(run_face(avatars, teller(status)))
        if "ear" in names:  # not by default: it takes long, and needs extras that a board lacks
            reports.append(run_ear(quick, teller(status), recogniser=recogniser))
        if "converse" in names:  # nor this: it takes half an hour, and needs the extras ear and converse
            from mien.bench.converse import run_converse

            reports.append(run_converse(quick, teller(status)))
        if "visit" in names:  # nor this: it needs the extra converse
            from mien.bench.visit import run_visit

            reports.append(run_visit(quick, teller(status)))
        if "link" in names:  # nor this: it needs mosquitto, and the extra link
            from mien.bench.link import run_link

            reports.append(run_link(quick, teller(status)))
        if "budget" in names:  # nor this: it needs what `make counter` builds, and an hour
            from mien.bench.budget import BOARDS, run_budget

            reports.append(run_budget(processors or tuple(BOARDS), teller(status), only))
        reports += [run_adapter(adapter, QUICK if quick else SEGMENTS, seed, teller(status)) for adapter in adapters]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(reports), indent=2))
    else:
        print_reports(reports)
    raise SystemExit(_exit_code(reports))


def _board(
    minutes: float | None, name: str | None, note: str, out: Path, pairs: tuple[str, ...], as_json: bool
) -> Exit:
    from mien.bench.board.report import as_json as text_of
    from mien.bench.board.rows import rows_of
    from mien.cli.bench_board import measure_board

    try:
        with exit_codes("mien bench"):
            report = measure_board(minutes, name, note, out, pairs)
    except KeyboardInterrupt:
        click.echo("mien bench: interrupted; no file was begun", err=True)
        return Exit.INTERRUPTED
    rows = rows_of(report)
    if as_json:
        click.echo(text_of(report), nl=False)
    else:
        print_reports([rows])
    return _exit_code([rows])


def _exit_code(reports: Sequence[Report]) -> Exit:
    missed = any(row.reached is False for report in reports for row in report.rows)
    return Exit.FAILED if missed else Exit.DONE


def print_reports(reports: Sequence[Report]) -> None:
    """Print the reports as a table."""
    table = Table("figure", "value", "bar", "samples", "")
    for report in reports:
        for row in report.rows:
            bar = "" if row.bar is None else f"{'<=' if row.at_most else '>='} {row.bar:g} {row.unit}"
            value = "none" if row.value is None else f"{row.value:g} {row.unit}"
            table.add_row(shown(row.name), value, bar, str(row.samples), _verdict(row))
    console = data_console()
    console.print(table)
    if reports:
        console.print(shown(", ".join(f"{key} {value}" for key, value in reports[0].machine.items())))


def _verdict(row: Row) -> Text:
    if row.reached is None:
        return shown(row.note)
    return shown("reached", "green") if row.reached else shown(f"missed {row.note}".strip(), "red")
