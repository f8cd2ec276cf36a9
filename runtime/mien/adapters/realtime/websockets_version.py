"""Which releases of websockets the bridge supports."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

from mien.errors import ConfigError

OLDEST: Final = 14  # the first whose new asyncio client is the default


def check_websockets() -> None:
    """Raises ConfigError when websockets is missing or too old."""
    remedy = f"websockets {OLDEST} or newer is needed: pip install 'mien[realtime]'"
    try:
        found = version("websockets")
    except PackageNotFoundError:
        raise ConfigError(f"websockets is not installed; {remedy}") from None
    if int(found.split(".")[0]) < OLDEST:
        raise ConfigError(f"websockets {found} is too old; {remedy}")
