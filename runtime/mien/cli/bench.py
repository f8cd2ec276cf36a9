"""The command `mien bench`."""

import json
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.table import Table
from rich.text import Text

from mien.bench.rows import Report, Row
from mien.cli.terminal import FiniteRange, data_console, shown, teller
from mien.host.exits import Exit, exit_codes


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(["pipeline", "motion", "conversation", "face", "ear"]))
@click.option("--utterances", default=30, show_default=True, type=click.IntRange(2, 1000))
@click.option(
    "--minutes",
    default=0.0,
    show_default=True,
    type=FiniteRange(0, 1440),
    help="Minutes of continuous speech, to measure drift.",
)
@click.option(
    "--avatar",
    "avatars",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="For face: also measure this avatar, baked or .glb.",
)
@click.option("--quick", is_flag=True, help="For ear: a smaller size, under a minute.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(
    names: tuple[str, ...], utterances: int, minutes: float, avatars: tuple[Path, ...], quick: bool, as_json: bool
) -> None:
    """Measure this machine: latencies, A/V offset, barge-in, echo, memory, speed. Exits 1 when a target is missed.

    Example: mien bench pipeline --minutes 10 --json, or mien bench face --avatar head.glb
    """
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
            reports.append(run_pipeline(utterances, minutes, teller(status)))
        if not names or "conversation" in names:
            reports.append(run_conversation(utterances, teller(status)))
        if not names or "face" in names:
            reports.append(run_face(avatars, teller(status)))
        if not names or "ear" in names:
            reports.append(run_ear(quick, teller(status)))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(reports), indent=2))
    else:
        print_reports(reports)
    missed = any(row.reached is False for report in reports for row in report.rows)
    raise SystemExit(Exit.FAILED if missed else Exit.DONE)


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
    return shown("reached", "green") if row.reached else shown("missed", "red")
