"""The whole recipe, from unpacked packages to the published artefacts: python -m training.recipe.

Every step leaves a file under build/ and is skipped when that file is there.
"""

import subprocess
import sys

from . import espeak, flite
from .dataset import build
from .paths import ALIGNED, RUNS

ALIGN_SOURCES = ("asterisk-fr", "asterisk-it")
ESPEAK_MINUTES, FLITE_MINUTES = 150, 90
# source -> how many differently degraded copies; asterisk-ru, a speaker and a language, is held out.
TRAINING = {"asterisk-fr": 3, "asterisk-it": 3, "flite": 1, "espeak": 1}
EPOCHS = 11
# name -> how many 10 ms frames the network's output lags its input; the lookahead is 20 ms more.
VARIANTS = {"mien-standard": 6}


def corpora() -> None:
    """Synthesise and align what is not there yet."""
    for source in ALIGN_SOURCES:
        if not (ALIGNED / f"{source}.npz").exists():
            _python("training.align", source)
    if not (ALIGNED / "flite.npz").exists():
        flite.generate(FLITE_MINUTES)
    if not (ALIGNED / "espeak.npz").exists():
        espeak.generate(ESPEAK_MINUTES)


def main() -> None:
    """See the module."""
    corpora()
    if not (RUNS / "training.npz").exists():
        build("training", TRAINING)
    for name, delay in VARIANTS.items():
        if not (RUNS / f"{name}.pt").exists():
            _python("training.train", "training", name, "--epochs", str(EPOCHS), "--delay", str(delay))
        _python("training.convert", name, "training", name)


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
