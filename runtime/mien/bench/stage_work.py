"""One stage of a conversation at work: the program whose aarch64 instructions are counted.

python -m mien.bench.stage_work STAGE COUNT [--sound WAV] [--phones FILE]. The difference of two counts is the work.
"""

from __future__ import annotations

import argparse
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.audio.base import Pcm

BLOCK: Final = 320
CHUNK: Final = 512
QUESTION: Final = "Could you tell me where I may leave my coat?"


def echo(sound: Pcm, *, suppressed: bool) -> Callable[[int], None]:
    """Blocks of 20 ms through AEC3: `sound` is played, and heard 19 ms later."""
    from mien.config import EarConfig
    from mien.ear.echo import EchoCanceller

    canceller = EchoCanceller(EarConfig(noise_suppression="moderate" if suppressed else "off"))
    heard = (np.roll(sound, 300) * 0.15).astype(np.int16)

    def work(count: int) -> None:
        for at in range(0, count * BLOCK, BLOCK):
            canceller.process(heard[at : at + BLOCK], sound[at : at + BLOCK])

    return work


def activity(sound: Pcm) -> Callable[[int], None]:
    """Chunks of 32 ms through Silero, all of them awake."""
    from mien.ear.vad import VoiceDetector

    detector = VoiceDetector()
    loud = sound.astype(np.float32) / np.float32(32768)

    def work(count: int) -> None:
        for at in range(0, count * CHUNK, CHUNK):
            detector.probability(loud[at : at + CHUNK], awake=True)

    return work


def motion(sound: Pcm, model: str, phones: Path | None) -> Callable[[int], None]:
    """Steps of 20 ms of the face: motion and prosody, with the turn's text where phones are given."""
    from mien.motion.guidance import SpokenWord
    from mien.motion.load import load_engine
    from mien.motion.prosody import ProsodyStream

    engine = load_engine(Path(model))
    prosody = ProsodyStream(engine.info.lookahead_ms)
    if phones is not None:
        engine.guide([SpokenWord(tuple(word.split()), None, None) for word in phones.read_text("utf-8").splitlines()])

    def work(count: int) -> None:
        for at in range(0, count * BLOCK, BLOCK):
            engine.push(sound[at : at + BLOCK])
            prosody.push(sound[at : at + BLOCK])

    return work


def hear(sound: Pcm, model: str, hasty: bool, cache: str) -> Callable[[int], None]:
    """Utterances through Whisper."""
    from mien.converse.hear.whisper import Whisper

    recogniser = Whisper(model, threads=1, cache=cache, hasty=hasty)
    recogniser.load()
    pcm = sound.tobytes()

    def work(count: int) -> None:
        for _ in range(count):
            print(recogniser.recognise(pcm, "en").text)

    return work


def think() -> Callable[[int], None]:
    """Questions to the shipped knowledge file, whose own vectors are not computed."""
    from mien.converse.think.base import Question
    from mien.converse.think.embedding import Embedding, Vectors
    from mien.converse.think.retrieval import KnowledgeThinker

    class Ready(Embedding):
        def kept(self, kind: str, texts: Sequence[str], make: Any) -> Vectors:
            vectors = np.random.default_rng(1).standard_normal((len(texts), 384)).astype(np.float32)
            return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    thinker = KnowledgeThinker()
    thinker.load(Ready())
    thinker.matches(QUESTION)

    def work(count: int) -> None:
        for _ in range(count):
            list(thinker.think(Question(QUESTION, "en")))

    return work


def read_sound(path: Path) -> Pcm:
    """Mono int16 of a WAV file at 16 kHz."""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def main() -> None:
    """Do the work."""
    parser = argparse.ArgumentParser(prog="python -m mien.bench.stage_work")
    parser.add_argument("stage")
    parser.add_argument("count", type=int)
    parser.add_argument("--sound", type=Path)
    parser.add_argument("--phones", type=Path)
    parser.add_argument("--cache", default="")
    given = parser.parse_args()
    once = read_sound(given.sound) if given.sound else np.zeros(0, np.int16)
    long = np.tile(once, 1 + max(BLOCK, CHUNK) * given.count // max(1, len(once)))
    ready: dict[str, Callable[[], Callable[[int], None]]] = {
        "echo": lambda: echo(long, suppressed=False),
        "echo-noise": lambda: echo(long, suppressed=True),
        "activity": lambda: activity(long),
        "standard": lambda: motion(long, "mien-standard", given.phones),
        "lowlatency": lambda: motion(long, "mien-lowlatency", given.phones),
        "tiny.en-10": lambda: hear(once, "tiny.en", True, given.cache),
        "tiny.en-15": lambda: hear(once, "tiny.en", False, given.cache),
        "base-10": lambda: hear(once, "base", True, given.cache),
        "base-15": lambda: hear(once, "base", False, given.cache),
        "think": think,
    }
    ready[given.stage]()(given.count)


if __name__ == "__main__":
    main()
