"""Imports files one by one: check, store, wipe from the card."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.board import Board
from provisioning.board_toml import board_files
from provisioning.card import Listing, remove_empty_folders, write_notes
from provisioning.files import Files, read_text, read_toml
from provisioning.link_files import FOLDER, check_link_file, check_link_folder
from provisioning.mistake import Mistake
from provisioning.ssh_keys import check_authorized_keys
from provisioning.storage import MODES, store, sync, sync_folders, wipe, wipe_free_space
from provisioning.zmq_keys import check_key_file


@dataclass
class Report:
    """taken: imported paths below /data/etc. mistakes: by file name on the card."""

    taken: list[str] = field(default_factory=list)
    mistakes: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def told(self, name: str, otherwise: str) -> Iterator[None]:
        """Context that turns any exception into a mistake of one file, so that the others are still imported.

        otherwise: prefix of the message for exceptions other than Mistake.
        """
        try:
            yield
        except Mistake as mistake:
            self.mistakes[name] = str(mistake)
        except OSError as error:
            self.mistakes[name] = f"{otherwise}: {error.strerror or error}"
        except Exception as error:  # untrusted input that breaks a check is a mistake of this file only
            self.mistakes[name] = f"{otherwise}: {type(error).__name__}: {error}"


def provision(board: Board) -> Report:
    """Import every valid file, and write the notes."""
    report = Report()
    listing = Listing(board.card)
    report.mistakes |= listing.odd
    link = [path for path in listing.files if path.relative_to(board.card).parts[0] == FOLDER]
    last = [path for path in listing.files if path.name == "mien.toml" and path not in link]
    for path in listing.files:
        if path not in last and path not in link:
            take(board, path, report)
    if link:
        take_link(board, link, report)
    with report.told("keys", "the voice's key pair could not be made"):
        make_voice_pair(board, report)
    for path in last:
        take(board, path, report)
    clean_up(board, report)
    return report


def take(board: Board, path: Path, report: Report) -> None:
    """Import one file if it is valid."""
    name = path.relative_to(board.card).as_posix()
    files: Files | None = None
    with report.told(name, "could not be imported"):
        checked = check(board, path, name)
        store(board.etc, checked)
        files = checked
    if files is None:
        return
    report.taken += files
    wipe_taken(path, name, report)


def take_link(board: Board, paths: list[Path], report: Report) -> None:
    """Import the folder link: all of its files if all are valid and fit each other, otherwise none."""
    names = {path: path.relative_to(board.card).as_posix() for path in paths}
    checked: Files = {}
    for path, name in names.items():
        with report.told(name, "could not be imported"):
            checked |= check_link_file(path, name)
    wrong = any(name in report.mistakes for name in names.values())
    with report.told(FOLDER, "could not be imported"):
        if wrong:
            raise Mistake("nothing of this folder was imported, because its files belong together")
        check_link_folder(board, {path.name: path for path in paths})
        store(board.etc, checked)
        report.taken += checked
        for path, name in names.items():
            wipe_taken(path, name, report)


def wipe_taken(path: Path, name: str, report: Report) -> None:
    """Overwrite and remove an imported file."""
    with report.told(name, "was imported, but could not be removed from here: remove it, it may contain a secret"):
        wipe(path)


def check(board: Board, path: Path, name: str) -> Files:
    """Files to store for a file on the card. Raises Mistake, OSError."""
    if name == "mien.toml":
        return check_mien_toml(board, path)
    if name == "board.toml":
        return board_files(read_toml(path))
    if name == "authorized_keys":
        return check_authorized_keys(board, path)
    if name.startswith("keys/"):
        return check_key_file(path, name)
    raise Mistake("unknown file: only mien.toml, board.toml, authorized_keys, keys/... and link/... are imported")


def check_mien_toml(board: Board, path: Path) -> Files:
    """Run mien check-config. Raises Mistake, OSError, subprocess.TimeoutExpired."""
    text = read_text(path)
    found = board.run(["mien", "check-config", "--file-only", str(path)])
    if found.returncode:
        raise Mistake((found.stderr.strip() or "mien check-config rejects it").replace(f"{path}: ", ""))
    return {"mien/mien.toml": text}


def make_voice_pair(board: Board, report: Report) -> None:
    """Make the voice's key pair if clients are allowed and it has none; copy its public key to the card for them."""
    folder = board.etc / "mien/keys"
    if not (folder / "allowed").is_dir() or (folder / "voice.key_secret").exists():
        return
    from mien.transport.keys import KeyFolder

    KeyFolder(folder).make_voice_pair()
    for name in ("voice.key", "voice.key_secret"):
        sync(folder / name)
    sync_folders(board.etc, [folder / "voice.key"])
    report.taken.append("mien/keys/voice.key_secret")
    with report.told("voice.key", f"the voice's public key could not be copied here; it is in {folder / 'voice.key'}"):
        (board.card / "voice.key").write_bytes((folder / "voice.key").read_bytes())


def clean_up(board: Board, report: Report) -> None:
    """Remove empty folders, write the notes, overwrite free space that may hold copies of secrets."""
    with report.told("(this folder)", "an empty folder could not be removed"):
        remove_empty_folders(board.card)
    if any(name in MODES for name in report.taken):
        with report.told("(this card)", "free space could not be overwritten, and may contain a secret"):
            wipe_free_space(board.firmware, board.free_bytes(board.firmware))
    with report.told("(this folder)", "no notes could be written to the card"):
        if board.card.is_dir():
            write_notes(board.card, report.taken, report.mistakes)
