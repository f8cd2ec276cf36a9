"""What is printed with rich: data is never markup. A key of Z85, a file's name, a caption may hold [b], [/] or :x:."""

from collections.abc import Callable

from rich.console import Console
from rich.status import Status
from rich.text import Text

from mien.printable import without_controls


def data_console(*, stderr: bool = False) -> Console:
    """A console that prints strings as they are, in tables, too."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def shown(text: str, style: str = "") -> Text:
    """A text from outside as one line that cannot steer the terminal."""
    return Text(without_controls(text), style=style)


def teller(status: Status) -> Callable[[str], None]:
    """What a long command calls to say what it does now."""
    return lambda text: status.update(shown(text))
