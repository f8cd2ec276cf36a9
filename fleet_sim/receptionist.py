"""A voice stack that follows a script: `python -m fleet_sim.receptionist ENDPOINT`, for the kiosks of the demo.

With --calls it calls a person for its customer, is silent while an agent speaks, and takes over again with thanks.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from typing import Final

from mien.cli.tts import find_engine, synthesize
from mien.client import CallAnswered, Client, Floor, connect
from mien.core import wire
from mien.errors import MienError

GREETING: Final = "Welcome to the city library. What may I do for you?"
QUESTION: Final = "My book is not on its shelf. Can somebody look for it?"
ASKS: Final = "I cannot see the shelves from here. One moment, I am calling a colleague."
COMING: Final = "Ada from the front desk is with you now."
THANKS: Final = "I hope that was of help. Your book is on its way to the front desk."
LINES: Final = (
    GREETING,
    "The reading room is on the second floor, behind the stairs.",
    "We are open until eight this evening, and from nine tomorrow.",
    "New library cards are made at the front desk. It takes two minutes.",
)
PAUSE_S: Final = 2.5
CALL_S: Final = 90.0


def say(client: Client, text: str) -> None:
    """Speak with a caption; an agent who takes the floor cuts it."""
    with synthesize(text, find_engine()) as speech, client.turn() as turn:
        turn.caption(text)
        for chunk in speech.chunks(client.rate_hz):
            turn.write(chunk)
    turn.wait()


def perform(client: Client, lines: Iterator[str], *, calls: bool) -> None:
    """Speak until the voice is gone; with `calls` the first customer needs a person. Raises MienError."""
    if calls:
        client.visit(wire.Visit(phase="conversation", visit="demo-1", language="en"))
        say(client, GREETING)
        time.sleep(PAUSE_S)
        say(client, ASKS)
        client.call(QUESTION, language="en", conversation=(("kiosk", GREETING), ("customer", QUESTION)))
        if _somebody_came(client):
            client.emotion("happy", 0.6)
            say(client, THANKS)
        else:
            client.hang_up()
    for line in lines:
        time.sleep(PAUSE_S)
        say(client, line)


def _somebody_came(client: Client) -> bool:
    """Announce who comes, wait until that agent took the floor and gave it back; False after CALL_S without one."""
    until_s, taken = time.monotonic() + CALL_S, False
    while taken or time.monotonic() < until_s:
        event = client.poll(0.5)
        if isinstance(event, CallAnswered) and event.coming and not taken:
            say(client, COMING)
        if isinstance(event, Floor):
            if taken and not event.holder:
                return True
            taken = bool(event.holder)
    return False


def main() -> None:
    """Parse the arguments, and speak. Exits 1 with a message when that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint")
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--from", dest="first", type=int, default=0, help="which line to begin with")
    arguments = parser.parse_args()
    lines = itertools.islice(itertools.cycle(LINES), arguments.first, None)
    try:
        with connect(arguments.endpoint, name="receptionist", timeout_s=30) as client:
            perform(client, lines, calls=arguments.calls)
    except MienError as error:
        sys.exit(f"receptionist: {error}")


if __name__ == "__main__":
    main()
