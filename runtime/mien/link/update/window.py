"""The hours in which an update may be installed, in local time."""

import re
from typing import Final

from mien.errors import ConfigError

_WINDOW: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class Window:
    """Such as "02:00-05:00", or over midnight "22:00-04:00". An empty text is always open. Raises ConfigError."""

    def __init__(self, text: str) -> None:
        found = _WINDOW.fullmatch(text)
        if text and (not found or text[:5] == text[6:]):
            raise ConfigError(f'update.window: {text!r} is no "HH:MM-HH:MM", such as "02:00-05:00"')
        numbers = [int(number) for number in found.groups()] if found else None
        self._from, self._to = (numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]) if numbers else (0, 0)
        self._always = numbers is None

    def is_open(self, minute: int | None) -> bool:
        """minute: of the local day, 0 to 1439; None while the clock is not set, which is no time to begin."""
        if self._always:
            return True
        if minute is None:
            return False
        if self._from < self._to:
            return self._from <= minute < self._to
        return minute >= self._from or minute < self._to
