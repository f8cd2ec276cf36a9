"""The receipt of an installation: what was put where, so that exactly that is removed."""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from mien.errors import InstallError
from mien.install.places import RECEIPT, within


class Receipt(Struct, kw_only=True, forbid_unknown_fields=True):
    """state: `begun` until the last step of an installation or removal has succeeded.

    files: absolute path to SHA-256 of the content, or "-> TARGET" of a link. folders: those that were created, in the
    order of their creation. commands: the folder of mien-voice and mien-face. runtime: the copied environment, or "".
    """

    version: str
    state: Literal["begun", "complete"] = "begun"
    commands: str
    runtime: str = ""
    files: dict[str, str] = {}
    folders: list[str] = []


def read_receipt(root: Path) -> Receipt | None:
    """The receipt; None if nothing is installed. Raises InstallError if it cannot be read."""
    path = within(root, RECEIPT)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Receipt)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise InstallError(
            f"{path} cannot be read ({error}); delete it, and run `mien service install` again"
        ) from None


def write_receipt(root: Path, receipt: Receipt) -> None:
    """Replace the receipt at once. Raises OSError."""
    path = within(root, RECEIPT)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.format(msgspec.json.encode(receipt), indent=1) + b"\n")
    fresh.replace(path)
