"""Order of versions, for the refusal of a downgrade."""

import re


def is_older(version: str, than: str) -> bool:
    """Whether `version` precedes `than`. A pre-release (0.2.0rc1, 0.2.0.dev3) precedes its release."""
    return _key(version) < _key(than)


def _key(version: str) -> tuple[tuple[int, ...], int, str]:
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    release = tuple(int(number) for number in numbers.group().split(".")) if numbers else ()
    suffix = version[numbers.end() :] if numbers else version
    before_release = re.match(r"[.-]?(a|b|c|rc|alpha|beta|dev|pre|~)", suffix) is not None
    return release, 0 if before_release else 1, suffix
