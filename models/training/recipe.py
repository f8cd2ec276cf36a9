"""The whole recipe, from unpacked packages to the published artefacts: python -m training.recipe.

Every step writes a file under build/ and is skipped if that file exists.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

from . import espeak, festival, flite, labelled, neural, noises
from .dataset import build
from .paths import ALIGNED, ARTEFACTS, RUNS

# Sources labelled by their engine or with their recordings, the slowest first.
GENERATORS: dict[str, Callable[[], None]] = {
    "kokoro-voices-rough": lambda: neural.generate("kokoro-voices-rough", 26),
    "flite": lambda: flite.generate(90),
    "espeak": lambda: espeak.generate(150),
    "noises": lambda: noises.generate(14),
    "festival": lambda: festival.generate(8),
    "kokoro-rough": lambda: neural.generate("kokoro-rough", 5.5),
    "joe-rough": lambda: neural.generate("joe-rough", 12),
    "festvox-ru": lambda: labelled.generate("festvox-ru"),
}
# Recorded speech aligned by a flat-start HMM. The last is never trained on.
RECORDED = ("asterisk-fr", "asterisk-it", "asterisk-ru")
# Aligned by the first network: single words, and neural voices with inaccurate times.
REALIGNED = ("stamps-fr", "stamps-ru", "stamps-ro", "stamps-ca", "stamps-bg", "stamps-be", "stamps-es", "stamps-da",
             "joe", "kokoro")  # fmt: skip
# Aligned by a better network, because a weak one fails on them: acted dialogue, telephone prompts, words, many voices.
# The last is never trained on.
LAST = ("fillets-cs", "fillets-nl", "prompts-it", "words-all", "kokoro-voices", "stamps-el")
ALIGNER, BASE = "aligner", "base"
# source -> (copies, each differently degraded; share of the utterances)
FIRST = {"asterisk-fr": (4, 1.0), "asterisk-it": (4, 1.0), "flite": (1, 0.5), "espeak": (1, 0.4), "noises": (1, 1.0),
         "festival": (1, 1.0), "festvox-ru": (1, 0.8)}  # fmt: skip
THEN = {"stamps-fr": (2, 1.0), "stamps-ru": (2, 1.0), "stamps-ro": (2, 1.0), "stamps-ca": (2, 1.0),
        "stamps-bg": (2, 1.0), "stamps-be": (2, 1.0), "stamps-es": (2, 1.0), "stamps-da": (2, 1.0), "joe": (1, 1.0),
        "kokoro": (2, 1.0)}  # fmt: skip
FINALLY = {"fillets-cs": (2, 1.0), "fillets-nl": (2, 1.0), "prompts-it": (3, 1.0), "words-all": (1, 1.0),
           "kokoro-voices": (2, 1.0)}  # fmt: skip
# Languages by their espeak-ng names, and festival's Finnish voices.
HELD_OUT_LANGUAGES = frozenset({"tr", "fi", "sw", "finnish"})
FIRST_EPOCHS, ALIGNER_EPOCHS, BASE_EPOCHS, EPOCHS = 6, 20, 32, 28
# A second run with a lower learning rate: after the first, the m of "people move" was missing in a known voice.
LAST_EPOCHS, LAST_RATE = 9, 1e-3
CORES = 2
VERSION = "7"  # of the artefacts
# name -> lag of the network's output in 10 ms frames; the lookahead is 20 ms more
VARIANTS = {"mien-standard": 8, "mien-lowlatency": 2}


def main() -> None:
    """See the module."""
    _beside(_labelled, [source for source in (*GENERATORS, *RECORDED) if not _aligned(source)])
    _datasets(FIRST)
    _train("bootstrap", FIRST, FIRST_EPOCHS, 8)
    _realign("bootstrap", REALIGNED)
    _datasets(THEN)
    _train(ALIGNER, [*FIRST, *THEN], ALIGNER_EPOCHS, 8, start="bootstrap")
    _realign(ALIGNER, LAST)
    _datasets(FINALLY)
    _train(BASE, [*FIRST, *THEN, "fillets-cs", "fillets-nl"], BASE_EPOCHS, 8)
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(_variant, VARIANTS))


def _variant(name: str) -> None:
    sources, delay = [*FIRST, *THEN, *FINALLY], VARIANTS[name]
    _train(f"{name}-first", sources, EPOCHS, delay, start=BASE, threads=1)
    _train(name, sources, LAST_EPOCHS, delay, start=f"{name}-first", rate=LAST_RATE, threads=1)
    _python("training.convert", name, name, *FIRST, "--version", VERSION)
    _python("training.guide", str(ARTEFACTS / f"{name}.json"))
    _python("training.evaluate", str(ARTEFACTS / f"{name}.json"))


def _labelled(source: str) -> None:
    if source in RECORDED:
        _python("training.align", source)
    else:
        GENERATORS[source]()


def _dataset(source: str) -> None:
    copies, share = {**FIRST, **THEN, **FINALLY}[source]
    build(source, copies, share=share, held_out=HELD_OUT_LANGUAGES)


def _beside(work: Callable[[str], None], sources: list[str]) -> None:
    """Process the sources in parallel, one per core."""
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(work, sources))


def _aligned(source: str) -> bool:
    return (ALIGNED / f"{source}.npz").exists()


def _realign(run: str, sources: tuple[str, ...]) -> None:
    missing = [source for source in sources if not _aligned(source)]
    if missing:
        _python("training.realign", run, *missing)


def _datasets(sources: Iterable[str]) -> None:
    _beside(_dataset, [source for source in sources if not (RUNS / f"data-{source}.npz").exists()])


def _train(
    run: str, sources: Iterable[str], epochs: int, delay: int, *,
    start: str = "", rate: float | None = None, threads: int = CORES,
) -> None:  # fmt: skip
    if not (RUNS / f"{run}.pt").exists():
        schedule = ["--epochs", str(epochs), "--delay", str(delay), "--start", start]
        schedule += [] if rate is None else ["--rate", str(rate)]
        _python("training.train", run, *sources, *schedule, threads=threads)


def _python(module: str, *arguments: str, threads: int = 1) -> None:
    # Waiting threads sleep, because spinning costs more than it saves on shared cores.
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE"}
    subprocess.run([sys.executable, "-m", module, *arguments], check=True, env=environment)


if __name__ == "__main__":
    main()
