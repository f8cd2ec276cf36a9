"""The whole recipe, from unpacked packages to the published artefacts: python -m training.recipe.

Every step leaves a file under build/ and is skipped when that file is there.
"""

import subprocess
import sys

from . import espeak, flite, noises
from .dataset import build
from .paths import ALIGNED, ARTEFACTS, RUNS

# source -> (copies, each differently degraded; share of the utterances). asterisk-ru is aligned but never trained on.
CLEAN = {"asterisk-fr": (4, 1.0), "asterisk-it": (4, 1.0), "flite": (1, 0.5), "espeak": (1, 0.4), "noises": (1, 1.0)}
# Acted dialogue: a flat start goes astray in it, so a network trained on the clean sources aligns it.
ACTED = {"fillets-nl": (1, 1.0), "fillets-cs": (1, 1.0)}
HELD_OUT_SOURCES = ("asterisk-ru",)
HELD_OUT_LANGUAGES = frozenset({"tr", "fi", "sw"})
MINUTES = {"flite": 90, "espeak": 150, "noises": 14}
GENERATORS = {"flite": flite.generate, "espeak": espeak.generate, "noises": noises.generate}
BOOTSTRAP_EPOCHS, EPOCHS = 10, 14
# name -> how many 10 ms frames the network's output lags its input; the lookahead is 20 ms more.
VARIANTS = {"mien-standard": 8}


def main() -> None:
    """See the module."""
    for source in (*CLEAN, *HELD_OUT_SOURCES):
        if (ALIGNED / f"{source}.npz").exists():
            continue
        if source in GENERATORS:
            GENERATORS[source](MINUTES[source])
        else:
            _python("training.align", source)
    _datasets(CLEAN)
    _train("bootstrap", [*CLEAN], BOOTSTRAP_EPOCHS, max(VARIANTS.values()))
    for source in ACTED:
        if not (ALIGNED / f"{source}.npz").exists():
            _python("training.realign", "bootstrap", source)
    _datasets(ACTED)
    for name, delay in VARIANTS.items():
        _train(name, [*CLEAN, *ACTED], EPOCHS, delay)
        _python("training.convert", name, name, *CLEAN)
        _python("training.evaluate", str(ARTEFACTS / f"{name}.json"))


def _datasets(sources: dict[str, tuple[int, float]]) -> None:
    for source, (copies, share) in sources.items():
        if not (RUNS / f"data-{source}.npz").exists():
            build(source, copies, share=share, held_out=HELD_OUT_LANGUAGES)


def _train(run: str, sources: list[str], epochs: int, delay: int) -> None:
    if not (RUNS / f"{run}.pt").exists():
        _python("training.train", run, *sources, "--epochs", str(epochs), "--delay", str(delay))


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
