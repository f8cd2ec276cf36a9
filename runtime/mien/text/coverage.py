"""What to do about characters that no font has. Pure."""

import unicodedata

_SYMBOLS = frozenset("SMC")  # pictographs and signs, marks that choose between pictures, joiners


def without_symbols(text: str, missing: str) -> tuple[str, str]:
    """The text without those of the missing characters that are symbols: it reads on without them. And the others."""
    symbols = {character for character in missing if unicodedata.category(character)[0] in _SYMBOLS}
    left = "".join(character for character in text if character not in symbols)
    return left, "".join(character for character in missing if character not in symbols)
