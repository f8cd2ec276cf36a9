"""Says which releases of a package an adapter supports, where another one or none is installed."""

import re
from importlib.metadata import PackageNotFoundError, version

from mien.errors import ConfigError


def require(package: str, oldest: tuple[int, int], extra: str) -> None:
    """Check that a package is installed, in this release (major, minor) or a newer one. Raises ConfigError."""
    remedy = f"{package} {oldest[0]}.{oldest[1]} or newer is needed: pip install 'mien[{extra}]'"
    try:
        found = version(package)
    except PackageNotFoundError:
        raise ConfigError(f"{package} is not installed; {remedy}") from None
    if _release(found) < oldest:
        raise ConfigError(f"{package} {found} is too old; {remedy}")


def _release(found: str) -> tuple[int, ...]:
    """Major and minor of a version such as 14.0rc1."""
    return tuple(int(number) for number in re.findall(r"\d+", found)[:2])
