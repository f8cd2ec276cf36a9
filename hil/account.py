"""What a board itself says about its services, quoted when one of them does not come up."""

from typing import Final

from hil.errors import RigError
from hil.rig import Rig

UNITS: Final = ("mien-voice", "mien-face")
LINES: Final = 20
PROPERTIES: Final = "ActiveState,SubState,Result,ExecMainStatus,NRestarts"
COMMAND: Final = (
    'for unit in {units}; do echo "$unit: $(systemctl show -p {properties} $unit | paste -sd" ")"; '
    'journalctl -q -u $unit -n {lines} -o cat --no-pager | sed "s/^/    /"; done; '
    'echo "failed units: $(systemctl list-units --failed --plain --no-legend | cut -d" " -f1 | paste -sd" ")"'
)
MOST_CHARACTERS: Final = 6000


def account(rig: Rig) -> str:
    """State and last journal lines of each service; without an answer, the board's console."""
    command = COMMAND.format(units=" ".join(UNITS), properties=PROPERTIES, lines=LINES)
    try:
        said = rig.console.run(command, 30 * rig.patience).output
    except RigError as error:
        said = f"{error}\n{rig.last_words()}"
    return said.strip()[-MOST_CHARACTERS:]
