"""Schedule reduction by Zeller's ddmin; tries the tail first, since the last act is often the cause.

A. Zeller and R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28 (2002).
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def shrink(items: Sequence[T], fails: Callable[[list[T]], bool], more: Callable[[], bool] = lambda: True) -> list[T]:
    """A small ordered subset of `items` for which fails() is true; it is assumed to be true for all of them.

    more: whether there is time for another trial. fails() may be noisy.
    """
    left = _tail(list(items), fails, more)
    pieces = 2
    while len(left) > 1 and more():
        size = -(-len(left) // pieces)
        smaller = _without_one_piece(left, size, fails, more)
        if smaller is not None:
            left, pieces = smaller, max(2, pieces - 1)
        elif size == 1:
            break
        else:
            pieces = min(len(left), 2 * pieces)
    return left


def _tail(items: list[T], fails: Callable[[list[T]], bool], more: Callable[[], bool]) -> list[T]:
    """The shortest failing suffix of 1, 2, 4 ... items."""
    count = 1
    while count < len(items) and more():
        if fails(items[-count:]):
            return items[-count:]
        count *= 2
    return items


def _without_one_piece(
    items: list[T], size: int, fails: Callable[[list[T]], bool], more: Callable[[], bool]
) -> list[T] | None:
    for start in range(0, len(items), size):
        fewer = items[:start] + items[start + size :]
        if not fewer:
            continue
        if not more():
            return None
        if fails(fewer):
            return fewer
    return None
