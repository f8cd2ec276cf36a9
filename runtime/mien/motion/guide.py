"""Text-guided lips: changes poses by the network's state, aligned to the turn's text.

Without text nothing is computed. The network's states of the last two seconds are kept, so that a text which comes
later than its sound is aligned from its beginning.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.motion.aligner import Aligner
from mien.motion.features import HOPS_PER_STEP
from mien.motion.guidance import GuideReport, SpokenWord, to_align
from mien.motion.guided_lips import GuidedLips
from mien.motion.phone_model import PhoneModel

_KEPT: Final = 100  # steps of 20 ms


class Guide:
    """The guidance of one turn at a time."""

    def __init__(self, model: PhoneModel) -> None:
        self._model = model
        self._delay = model.manifest.delay_frames
        self._kept = np.zeros((_KEPT, model.manifest.width), dtype=np.int8)
        self.aligner, self.lips = Aligner(), GuidedLips()
        self._steps = 0
        self._report = GuideReport()
        self.ended = self._report

    def reset(self) -> None:
        """Discard the turn and its text. `ended` is then the report of that turn."""
        self._report.frames, self._report.trusted = self.lips.frames, self.lips.trusted_frames
        self._report.dropped = self.aligner.dropped
        self.ended, self._report = self._report, GuideReport()
        self._steps = 0
        self._model.reset()
        self.aligner.reset()
        self.lips.reset()

    def add(self, words: Sequence[SpokenWord]) -> None:
        """Add text to the turn."""
        late = not self.aligner.active
        self.aligner.add(to_align(words, self._report), anywhere=self._steps > _KEPT)
        if late and self.aligner.active:
            for step in range(max(0, self._steps - _KEPT), self._steps):
                self._align(step)

    def step(self, state: NDArray[np.int8], shapes: NDArray[np.float32], at_rest: NDArray[np.bool_]) -> None:
        """state: the network's, int8 (width,). shapes: the poses of this step, float32 (2, 52), changed.

        at_rest: bool (2,): these poses stay as they are.
        """
        self._kept[self._steps % _KEPT] = state
        self._steps += 1
        if self.aligner.active:
            self._align(self._steps - 1, shapes, at_rest)

    def _align(
        self, step: int, shapes: NDArray[np.float32] | None = None, at_rest: NDArray[np.bool_] | None = None
    ) -> None:
        self._model.hear(self._kept[step % _KEPT])
        likelihoods = self._model.likelihoods()
        for hop in range(HOPS_PER_STEP):
            frame = HOPS_PER_STEP * step + hop - self._delay
            if frame < 0:
                continue
            self.aligner.step(likelihoods[hop], frame)
            if shapes is not None and at_rest is not None:
                self.lips.apply(self.aligner.views, shapes[hop], at_rest=bool(at_rest[hop]))
