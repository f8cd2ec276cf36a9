"""The command `mien converse report`."""

import calendar
from datetime import date
from pathlib import Path

import click
import msgspec
from rich.table import Table

from mien.cli.terminal import data_console
from mien.config import load_config, parse_overrides
from mien.converse.visit.log.files import VisitFiles
from mien.converse.visit.log.page import page
from mien.converse.visit.log.report import Report
from mien.converse.visit.log.report import report as summed_up
from mien.errors import ConfigError
from mien.host.exits import exit_codes
from mien.printable import printable


@click.command("report")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Override a key, such as visit.log=visits.")
@click.option("--of", "period", metavar="DAY|MONTH", default="", help="As 2030-05-31 or 2030-05 [today].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page that needs nothing else.")
def report(config: Path | None, pairs: tuple[str, ...], period: str, as_json: bool, html: Path | None) -> None:
    """Sum up the visits of a day or a month, from the log that visit.log names.

    \b
    Examples: mien converse report --of 2030-05
              mien converse report --of 2030-05 --html may.html

    Exit codes: 0 done, 2 the configuration or the arguments must be corrected.
    """
    with exit_codes("mien converse report"):
        visit = load_config(config, parse_overrides(pairs)).visit
        if not visit.log:
            raise ConfigError("visit.log: no log of visits is kept; name a folder, and set visit.enabled = true")
        first, last = days(period or date.today().isoformat())
        lines, bad = VisitFiles(Path(visit.log).expanduser(), visit.keep_days).read(first, last)
        made = summed_up(period or first.isoformat(), lines, bad)
        if html is not None:
            _write(html, page(made))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(made)))
    elif html is not None:
        click.echo(f"wrote {html}: {made.visits} visits")
    else:
        _print(made)


def days(period: str) -> tuple[date, date]:
    """The first and the last day of a day or a month. Raises ConfigError."""
    try:
        if len(period) == len("2030-05"):
            first = date.fromisoformat(f"{period}-01")
            return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])
        return date.fromisoformat(period), date.fromisoformat(period)
    except ValueError:
        raise ConfigError(f"--of {printable(period)}: write a day as 2030-05-31, or a month as 2030-05") from None


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--html: {error}") from None


def _print(made: Report) -> None:
    share = "–" if made.answered_share is None else f"{100 * made.answered_share:.0f} %"
    table = Table("", "visits", title=f"{made.visits} visits, {printable(made.period)}")
    for name, count in made.funnel.items():
        table.add_row(name, str(count))
    for how, count in made.ended.items():
        table.add_row(f"ended: {how}", str(count))
    console = data_console()
    console.print(table)
    console.print(f"{made.questions} questions, {share} answered")
    console.print(f"{made.calls} calls, {made.calls_unanswered} of them unanswered")
    for one in made.latencies:
        console.print(f"{one.stage:>12}  median {one.median_ms:.0f} ms, 95 % {one.p95_ms:.0f} ms")
    for text, count in made.unanswered:
        console.print(f"{count:>4} x  {printable(text)}", markup=False)
    if made.unreadable:
        console.print(f"{made.unreadable} lines of the log could not be read")
