"""The whole recipe, from unpacked packages to the published artefacts: python -m training.recipe.

Every step leaves a file under build/ and is skipped when that file is there.
"""

import subprocess
import sys
from collections.abc import Callable

from . import espeak, festival, flite, labelled, neural, noises
from .dataset import build
from .paths import ALIGNED, ARTEFACTS, RUNS

# Sources whose labels come from the engine that spoke, or with the recordings.
GENERATORS: dict[str, Callable[[], None]] = {
    "flite": lambda: flite.generate(90),
    "espeak": lambda: espeak.generate(150),
    "noises": lambda: noises.generate(14),
    "festival": lambda: festival.generate(8),
    "kokoro": lambda: neural.generate("kokoro", 5.5),
    "kokoro-voices": lambda: neural.generate("kokoro-voices", 9),
    "joe-rough": lambda: neural.generate("joe-rough", 12),
    "festvox-ru": lambda: labelled.generate("festvox-ru"),
}
# Recorded speech that a flat-start HMM aligns. The last two are never trained on.
RECORDED = ("asterisk-fr", "asterisk-it", "stamps-es", "stamps-da", "stamps-el", "asterisk-ru")
# Recorded speech that the first network aligns: it is a hundred times faster.
REALIGNED = ("stamps-fr", "stamps-ru", "stamps-ro", "stamps-ca", "stamps-bg", "stamps-be", "joe")
# Acted dialogue, telephone prompts and single words of many people: a better network aligns them, or they go astray.
LAST = ("fillets-cs", "fillets-nl", "prompts-it", "words-all")
ALIGNER = "recipe-standard"
# source -> (copies, each differently degraded; share of the utterances)
FIRST = {"asterisk-fr": (4, 1.0), "asterisk-it": (4, 1.0), "flite": (1, 0.5), "espeak": (1, 0.4), "noises": (1, 1.0),
         "festival": (1, 1.0), "festvox-ru": (1, 0.8), "stamps-es": (2, 1.0), "stamps-da": (2, 1.0),
         "kokoro": (2, 1.0)}  # fmt: skip
THEN = {"stamps-fr": (2, 1.0), "stamps-ru": (2, 1.0), "stamps-ro": (2, 1.0), "stamps-ca": (2, 1.0),
        "stamps-bg": (2, 1.0), "stamps-be": (2, 1.0), "joe": (1, 1.0)}  # fmt: skip
FINALLY = {"fillets-cs": (2, 1.0), "fillets-nl": (2, 1.0), "prompts-it": (3, 1.0), "words-all": (1, 1.0),
           "kokoro-voices": (3, 1.0)}  # fmt: skip
# Languages as espeak-ng names them, and festival's Finnish voices.
HELD_OUT_LANGUAGES = frozenset({"tr", "fi", "sw", "finnish"})
FIRST_EPOCHS, EPOCHS = 6, 24
# name -> how many 10 ms frames the network's output lags its input; the lookahead is 20 ms more.
VARIANTS = {"mien-standard": 8, "mien-lowlatency": 2}


def main() -> None:
    """See the module."""
    for source, generate in GENERATORS.items():
        if not _aligned(source):
            generate()
    for source in RECORDED:
        if not _aligned(source):
            _python("training.align", source)
    _datasets(FIRST)
    _train("bootstrap", [*FIRST], FIRST_EPOCHS, 8)
    _realign("bootstrap", REALIGNED)
    _datasets(THEN)
    _train(ALIGNER, [*FIRST, *THEN], EPOCHS, 8, start="bootstrap")
    _realign(ALIGNER, LAST)
    _datasets(FINALLY)
    sources = [*FIRST, *THEN, *FINALLY]
    for name, delay in VARIANTS.items():
        _train(name, sources, EPOCHS, delay, start="bootstrap")
        _python("training.convert", name, name, *FIRST)
        _python("training.evaluate", str(ARTEFACTS / f"{name}.json"))


def _aligned(source: str) -> bool:
    return (ALIGNED / f"{source}.npz").exists()


def _realign(run: str, sources: tuple[str, ...]) -> None:
    missing = [source for source in sources if not _aligned(source)]
    if missing:
        _python("training.realign", run, *missing)


def _datasets(sources: dict[str, tuple[int, float]]) -> None:
    for source, (copies, share) in sources.items():
        if not (RUNS / f"data-{source}.npz").exists():
            build(source, copies, share=share, held_out=HELD_OUT_LANGUAGES)


def _train(run: str, sources: list[str], epochs: int, delay: int, start: str = "") -> None:
    if not (RUNS / f"{run}.pt").exists():
        schedule = ("--epochs", str(epochs), "--delay", str(delay), "--start", start)
        _python("training.train", run, *sources, *schedule)


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
