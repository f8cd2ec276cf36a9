"""The whole recipe, from unpacked packages to the published artefacts: python -m training.recipe.

Every step leaves a file under build/ and is skipped when that file is there.
"""

import subprocess
import sys

from . import espeak, flite, noises
from .dataset import build
from .paths import ALIGNED, ARTEFACTS, RUNS

# source -> (copies, each differently degraded; share of the utterances). asterisk-ru is aligned but never trained on.
TRAINING = {
    "asterisk-fr": (4, 1.0),
    "asterisk-it": (4, 1.0),
    "fillets-nl": (1, 1.0),
    "fillets-cs": (1, 1.0),
    "flite": (1, 0.5),
    "espeak": (1, 0.4),
    "noises": (1, 1.0),
}
HELD_OUT_SOURCES = ("asterisk-ru",)
HELD_OUT_LANGUAGES = frozenset({"tr", "fi", "sw"})
MINUTES = {"flite": 90, "espeak": 150, "noises": 14}
GENERATORS = {"flite": flite.generate, "espeak": espeak.generate, "noises": noises.generate}
EPOCHS = 18
# name -> how many 10 ms frames the network's output lags its input; the lookahead is 20 ms more.
VARIANTS = {"mien-standard": 8}


def main() -> None:
    """See the module."""
    for source in (*TRAINING, *HELD_OUT_SOURCES):
        if (ALIGNED / f"{source}.npz").exists():
            continue
        if source in GENERATORS:
            GENERATORS[source](MINUTES[source])
        else:
            _python("training.align", source)
    for source, (copies, share) in TRAINING.items():
        if not (RUNS / f"data-{source}.npz").exists():
            build(source, copies, share=share, held_out=HELD_OUT_LANGUAGES)
    for name, delay in VARIANTS.items():
        if not (RUNS / f"{name}.pt").exists():
            _python("training.train", name, *TRAINING, "--epochs", str(EPOCHS), "--delay", str(delay))
        _python("training.convert", name, name, *TRAINING)
        _python("training.evaluate", str(ARTEFACTS / f"{name}.json"))


def _python(module: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", module, *arguments], check=True)


if __name__ == "__main__":
    main()
