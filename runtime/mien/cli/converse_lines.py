"""What mien converse prints: the transcript line by line, the table of latencies."""

import json

from rich.table import Table

from mien.cli.terminal import data_console
from mien.converse import orders
from mien.converse.latency import Latencies
from mien.printable import printable


def line(order: orders.Note | orders.Perform, at_s: float, *, as_json: bool) -> str:
    """One line of the transcript. at_s: since the start."""
    if isinstance(order, orders.Note):
        fields = {"who": order.who, "text": order.text}
        shown = f"{order.who:>8}  {printable(order.text)}"
    else:
        fields = {"action": order.action, "question": order.question}
        shown = f"  action  {order.action}"
    return json.dumps({"at_s": round(at_s, 2), **fields}) if as_json else f"{at_s:7.2f} {shown}"


def print_latencies(latencies: Latencies) -> None:
    """The table by stage; nothing without an answer."""
    rows = latencies.table()
    if not rows:
        return
    table = Table(
        "from the last word to the first sound", "median, ms", "95 %, ms", title=f"{len(latencies.answers)} answers"
    )
    for stage, middle, high in rows:
        table.add_row(stage, f"{middle:.0f}", f"{high:.0f}")
    data_console().print(table)
