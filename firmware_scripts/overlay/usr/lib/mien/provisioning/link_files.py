"""The folder link/: a board's place in a fleet, as `mien fleet board` makes it.

Its files belong together, so that they are taken together or not at all. What does not come stays as it is on the
board.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioning.board import Board
from provisioning.files import Files, read_text
from provisioning.mistake import Mistake
from provisioning.tls_pair import certificates_in, common_name, key_in

if TYPE_CHECKING:
    from mien.link.config import LinkConfig

FOLDER: Final = "link"
STORED: Final = "mien/link"  # below /data/etc
SETTINGS: Final = "link.toml"
_CERTIFICATES: Final = ("ca.crt", "link.crt", "update-ca.crt")
_SECRETS: Final = ("password", "update-token")
NAMES: Final = (SETTINGS, *_CERTIFICATES, "link.key", *_SECRETS)
MOST_SECRET: Final = 512


def check_link_file(path: Path, place: str) -> Files:
    """One file of the folder. place: its path on the card, beginning with link/. Raises Mistake, OSError."""
    name = path.name
    if place != f"{FOLDER}/{name}" or name not in NAMES:
        raise Mistake(f"unknown file: the folder link holds {', '.join(NAMES)}")
    text = read_text(path)
    if name in _CERTIFICATES:
        text = certificates_in(text)
    elif name in _SECRETS:
        text = _secret(text)
    elif name == "link.key":
        text = key_in(text)
    return {f"{STORED}/{name}": text}


def check_link_folder(board: Board, card: dict[str, Path]) -> None:
    """Whether the files fit each other, and those that the board has already. card: those that come, by name.

    Raises Mistake, OSError.
    """
    from mien.errors import MienError
    from mien.link.config import load_link_config

    def place(name: str) -> Path:
        return card.get(name, board.etc / STORED / name)

    settings = place(SETTINGS)
    if not settings.exists():
        raise Mistake("link.toml is missing, here and on the board: `mien fleet board NAME` makes it")
    try:
        config = load_link_config(settings)
        user = config.place.user
    except MienError as error:
        raise Mistake(str(error).replace(f"{settings}: ", "link.toml: ")) from None
    for key, name in _named(config).items():
        if name not in NAMES:
            raise Mistake(f"link.toml: {key} = {name!r}: name one of {', '.join(NAMES[1:])}")
        if not place(name).exists():
            raise Mistake(f"{name} is missing, here and on the board; link.toml names it as {key}")
    if config.broker.certificate:
        found = common_name(place(config.broker.certificate), place(config.broker.key))
        if found != user:
            raise Mistake(f"link.crt is the certificate of {found!r}, but link.toml is that of {user!r}")


def _named(config: "LinkConfig") -> dict[str, str]:
    """The files that a link.toml names, by key. Raises Mistake for half a pair."""
    broker, update = config.broker, config.update
    if bool(broker.certificate) != bool(broker.key):
        raise Mistake("link.toml: broker.certificate and broker.key go together")
    named = {
        "broker.ca": broker.ca if broker.tls else "",
        "broker.certificate": broker.certificate,
        "broker.key": broker.key,
        "broker.password_file": broker.password_file,
        "update.ca": update.ca,
        "update.token_file": update.token_file,
    }
    return {key: name for key, name in named.items() if name}


def _secret(text: str) -> str:
    line = text.strip()
    if not line or len(line) > MOST_SECRET or not line.isascii() or not line.isprintable():
        raise Mistake(f"holds no secret: one line of at most {MOST_SECRET} printable ASCII characters")
    return line + "\n"
