"""Whisper by ctranslate2."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.converse.hear.base import RATE_HZ, Transcript
from mien.converse.hear.features import log_mel
from mien.converse.hear.guards import guarded, max_tokens
from mien.converse.hear.weights import find_weights
from mien.errors import ConverseError

WINDOWS_S: Final = (15.0, 30.0)
"""Shorter windows make Whisper repeat itself."""

HASTY_WINDOW_S: Final = 10.0
HASTY_LONGEST_S: Final = 6.0
"""What is no longer than that goes into the hasty window: a third faster, with 1 to 4 % more wrong words."""

SHORTEST_S: Final = 0.1


class Whisper:
    """model: "tiny.en", "base", or a folder. languages: those that "auto" chooses from. threads: of the CPU.

    cache: a folder in which a model of several pieces is joined. hasty: for a slow machine, see HASTY_LONGEST_S.

    A running recognition cannot be cancelled; it takes a fifth of a second.
    """

    def __init__(
        self,
        model: str = "tiny.en",
        languages: tuple[str, ...] = ("en",),
        threads: int = 2,
        cache: str = "",
        hasty: bool = False,
    ) -> None:
        self._name = model
        self._languages = languages
        self._threads = threads
        self._hasty = hasty
        self._cache = Path(cache) if cache else None
        self._folder = Path()
        self._model: Any = None
        self._tokens: Any = None

    def load(self) -> None:
        """Load the weights, and recognise silence once: the first time is slower. Raises ConverseError."""
        self._folder = find_weights(self._name, self._cache)
        try:
            import ctranslate2
            import tokenizers
        except ImportError as error:
            raise ConverseError(f"{error.name} is missing: pip install 'mien[converse]'") from None
        try:
            self._tokens = tokenizers.Tokenizer.from_file(str(self._folder / "tokenizer.json"))
            self._model = ctranslate2.models.Whisper(
                str(self._folder),
                device="cpu",
                compute_type="int8_float32",
                intra_threads=self._threads,
                inter_threads=1,
            )
        except Exception as error:  # tokenizers raises Exception itself
            raise ConverseError(f"{self._folder}: ctranslate2 cannot load it: {error}") from None
        if not self._model.is_multilingual and "en" not in self._languages:
            raise ConverseError(f"converse.hear_model: '{self._name}' knows English only; name a multilingual model")
        self.recognise(bytes(RATE_HZ), "en")

    def recognise(self, pcm: bytes, language: str) -> Transcript:
        """The text of at most 30 s. Raises ConverseError: the result is no number."""
        import ctranslate2

        seconds = len(pcm) / 2 / RATE_HZ
        if seconds < SHORTEST_S:
            return Transcript()
        window_s = next((window for window in WINDOWS_S if seconds <= window), WINDOWS_S[-1])
        if self._hasty and seconds <= HASTY_LONGEST_S:
            window_s = HASTY_WINDOW_S
        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(log_mel(pcm, window_s)[None]))
        if self._model.is_multilingual and language == "auto":
            language = self._detect(features)
        elif not self._model.is_multilingual:
            language = "en"
        result = self._model.generate(
            features,
            [self._prompt(language)],
            beam_size=1,
            max_length=max_tokens(seconds),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        if not np.isfinite(result.scores[0]):
            raise ConverseError("Whisper computed NaN; is OMP_THREAD_LIMIT set?")
        text = self._tokens.decode(result.sequences_ids[0]).strip()
        return guarded(
            text, language=language, no_speech=result.no_speech_prob, logprob=result.scores[0], seconds=seconds
        )

    def cancel(self) -> None:
        """Nothing: see the class."""

    def _detect(self, features: Any) -> str:
        """The most probable of the languages."""
        found = {token.strip("<|>"): probability for token, probability in self._model.detect_language(features)[0]}
        return max(self._languages, key=lambda language: found.get(language, 0.0))

    def _prompt(self, language: str) -> list[int]:
        words = ["<|startoftranscript|>"]
        if self._model.is_multilingual:
            words += [f"<|{language}|>", "<|transcribe|>"]
        return [self._tokens.token_to_id(word) for word in (*words, "<|notimestamps|>")]
