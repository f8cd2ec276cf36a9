"""Types of arguments that click's own do not check far enough."""

import math
from typing import Any

import click


class FiniteRange(click.FloatRange):
    """A number within bounds. click's own range takes "nan", which lies in every range, and "inf" where one is open."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises click.BadParameter."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number
