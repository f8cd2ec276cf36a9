"""authorized_keys: public keys that may log in as root."""

import base64
import binascii
import re
from pathlib import Path
from typing import Final

from provisioning.board import Board
from provisioning.files import Files, read_text
from provisioning.mistake import Mistake

_TYPES: Final = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
                 "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com")  # fmt: skip
# Options may come before the type, and a comment after the key.
_KEY: Final = re.compile(rf"(?:.*?\s)?({'|'.join(map(re.escape, _TYPES))})\s+([A-Za-z0-9+/]+=*)(?:\s.*)?")


def check_authorized_keys(board: Board, path: Path) -> Files:
    """The file unchanged, if every line is a public key, empty or a comment. Raises Mistake, OSError."""
    text = read_text(path)
    keys = 0
    # As in sshd: splitlines() would also split at ten other characters.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if "PRIVATE KEY" in line:
            raise Mistake(f"line {number}: this is a private key; generate a new pair and put its .pub file here")
        if not line.replace("\t", " ").isprintable() or not is_public_key(line):
            raise Mistake(f'line {number}: not a public key, such as "ssh-ed25519 AAAA... name"')
        keys += 1
    if not keys:
        raise Mistake("contains no key: every line is empty or a comment")
    if board.run(["ssh-keygen", "-l", "-f", str(path)]).returncode:
        raise Mistake("ssh-keygen finds no valid key")
    return {"ssh/authorized_keys": text}


def is_public_key(line: str) -> bool:
    """Whether a line holds a complete key: whole fields (RFC 4253, 6.6), the first of which is its type."""
    found = _KEY.fullmatch(line)
    if found is None:
        return False
    try:
        blob = base64.b64decode(found[2])
    except binascii.Error:
        return False
    fields, at = [], 0
    while at + 4 <= len(blob):
        length = int.from_bytes(blob[at : at + 4], "big")
        fields.append(blob[at + 4 : at + 4 + length])
        at += 4 + length
    return at <= len(blob) and len(fields) >= 2 and fields[0] == found[1].encode()
