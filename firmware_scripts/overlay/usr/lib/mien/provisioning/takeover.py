"""One file after the other: checked, stored for good, wiped from the card."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from provisioning.board import Board
from provisioning.board_toml import board_files
from provisioning.card import Listing, remove_empty_folders, write_notes
from provisioning.files import Files, read_text, read_toml
from provisioning.mistake import Mistake
from provisioning.ssh_keys import check_authorized_keys
from provisioning.storage import MODES, store, sync, sync_folders, wipe, wipe_free_space
from provisioning.zmq_keys import check_key_file


@dataclass
class Report:
    """taken: paths below /data/etc. mistakes: by file, as it is called on the card."""

    taken: list[str] = field(default_factory=list)
    mistakes: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def told(self, name: str, otherwise: str) -> Iterator[None]:
        """The border between one file and the rest: whatever is raised inside is noted, and the rest goes on.

        otherwise: what to say before the reason where it is no Mistake, which speaks for itself.
        """
        try:
            yield
        except Mistake as mistake:
            self.mistakes[name] = str(mistake)
        except OSError as error:
            self.mistakes[name] = f"{otherwise}: {error.strerror or error}"
        except Exception as error:  # a check that a stranger's bytes broke is a mistake of this one file
            self.mistakes[name] = f"{otherwise}: {type(error).__name__}: {error}"


def provision(board: Board) -> Report:
    """Take over every file that is good, and leave the notes."""
    report = Report()
    listing = Listing(board.card)
    report.mistakes |= listing.odd
    last = [path for path in listing.files if path.name == "mien.toml"]
    for path in listing.files:
        if path not in last:
            take(board, path, report)
    with report.told("keys", "the voice's own pair of keys could not be made"):
        make_voice_pair(board, report)
    for path in last:
        take(board, path, report)
    clean_up(board, report)
    return report


def take(board: Board, path: Path, report: Report) -> None:
    """One file of the card, if it is good."""
    name = path.relative_to(board.card).as_posix()
    files: Files | None = None
    with report.told(name, "could not be taken over"):
        checked = check(board, path, name)
        store(board.etc, checked)
        files = checked
    if files is None:
        return
    report.taken += files
    with report.told(name, "was taken over, but is still here: remove it, since it may hold a secret"):
        wipe(path)


def check(board: Board, path: Path, name: str) -> Files:
    """What the file means. Raises Mistake, OSError."""
    if name == "mien.toml":
        return check_mien_toml(board, path)
    if name == "board.toml":
        return board_files(read_toml(path))
    if name == "authorized_keys":
        return check_authorized_keys(board, path)
    if name.startswith("keys/"):
        return check_key_file(path, name)
    raise Mistake("not a file that is known here: mien.toml, board.toml, authorized_keys or keys/...")


def check_mien_toml(board: Board, path: Path) -> Files:
    """mien's own judgement of its configuration. Raises Mistake, OSError, subprocess.TimeoutExpired."""
    text = read_text(path)
    found = board.run(["mien", "check-config", "--file-only", str(path)])
    if found.returncode:
        raise Mistake((found.stderr.strip() or "mien check-config refuses it").replace(f"{path}: ", ""))
    return {"mien/mien.toml": text}


def make_voice_pair(board: Board, report: Report) -> None:
    """The voice's pair, where clients are allowed and it has none; its public key goes onto the card, for them."""
    folder = board.etc / "mien/keys"
    if not (folder / "allowed").is_dir() or (folder / "voice.key_secret").exists():
        return
    from mien.transport.keys import KeyFolder

    KeyFolder(folder).make_voice_pair()
    for name in ("voice.key", "voice.key_secret"):
        sync(folder / name)
    sync_folders(board.etc, [folder / "voice.key"])
    report.taken.append("mien/keys/voice.key_secret")
    with report.told("voice.key", f"the voice's public key could not be put here; it is {folder / 'voice.key'}"):
        (board.card / "voice.key").write_bytes((folder / "voice.key").read_bytes())


def clean_up(board: Board, report: Report) -> None:
    """Empty folders, notes, and what an editor left of a secret in the card's free space."""
    with report.told("(this folder)", "an empty folder could not be removed"):
        remove_empty_folders(board.card)
    if any(name in MODES for name in report.taken):
        with report.told("(this card)", "what is free on it could not be overwritten, and may hold a secret"):
            wipe_free_space(board.firmware, board.free_bytes(board.firmware))
    with report.told("(this folder)", "no note could be left on the card"):
        if board.card.is_dir():
            write_notes(board.card, report.taken, report.mistakes)
