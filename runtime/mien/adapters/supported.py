"""Says which releases of a package an adapter supports, where another one or none is installed."""

from importlib.metadata import PackageNotFoundError, version
from itertools import takewhile

from mien.errors import ConfigError


def require(package: str, oldest: tuple[int, int], extra: str) -> None:
    """Check that a package is installed, in this release (major, minor) or a newer one. Raises ConfigError."""
    remedy = f"{package} {oldest[0]}.{oldest[1]} or newer is needed: pip install 'mien[{extra}]'"
    found = installed(package)
    if found is None:
        raise ConfigError(f"{package} is not installed; {remedy}")
    if not fits(found, oldest):
        raise ConfigError(f"{package} {found} is too old; {remedy}")


def installed(package: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def fits(found: str, oldest: tuple[int, ...], below: tuple[int, ...] | None = None) -> bool:
    """Whether a version is `oldest` or newer, and lower than `below`; by its leading numbers: 1.8.9rc1 is 1.8.9."""
    numbers: list[int] = []
    for part in found.split("."):
        digits = "".join(takewhile(str.isdecimal, part))
        if digits:
            numbers.append(int(digits))
        if digits != part:
            break
    return oldest <= tuple(numbers) and (below is None or tuple(numbers) < below)
