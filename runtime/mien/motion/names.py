"""The name of the shipped motion model, for programs that do not load it."""

from typing import Final

SHIPPED: Final = "mien-standard"
