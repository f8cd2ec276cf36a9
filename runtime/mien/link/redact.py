"""Takes secrets out of a configuration before it leaves the board. Pure."""

import re
from typing import Any, Final

HIDDEN: Final = "(hidden)"
_SECRET: Final = re.compile(r"key|token|secret|password|passphrase|credential|auth", re.IGNORECASE)
_URL_USER: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/@\s]*@", re.IGNORECASE)
_URL_QUERY: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#]*)[?#]\S*", re.IGNORECASE)


def redacted(tree: Any, name: str = "") -> Any:
    """A copy of a TOML tree. Hidden: values whose key sounds like a secret, users and queries of URLs."""
    if isinstance(tree, dict):
        return {key: redacted(value, key) for key, value in tree.items()}
    if isinstance(tree, list):
        return [redacted(value, name) for value in tree]
    if isinstance(tree, str):
        if _SECRET.search(name) and tree:
            return HIDDEN
        return _URL_QUERY.sub(r"\1?…", _URL_USER.sub(r"\1…@", tree))
    return tree
