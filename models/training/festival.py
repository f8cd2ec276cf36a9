"""Speech with phone times by festival's diphone and HTS voices in Debian, each from recordings of one person.

festival runs from the unpacked packages; nothing is installed. The phone times come from its list of segments, which is
exact for these voices.
"""

import os
import random
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from . import corpus
from .corpus import Utterance
from .paths import RATE_HZ, ROOT
from .segments import read_segments
from .targets import TimedPhone
from .texts import sentences

SHARE = ROOT / "usr/share/festival"
BATCH = 25


@dataclass(frozen=True, slots=True)
class Voice:
    """name: as in festival's voice_NAME. phoneset: of its labels. text: language of its sentences."""

    name: str
    phoneset: str
    text: str
    encoding: str = "latin-1"
    stretchable: bool = True


VOICES = (
    Voice("kal_diphone", "radio", "en"), Voice("ked_diphone", "radio", "en"),
    Voice("cmu_us_slt_arctic_hts", "radio", "en", stretchable=False),
    Voice("pc_diphone", "italian", "it"), Voice("lp_diphone", "italian", "it"),
    Voice("czech_dita", "czech", "cs", "iso-8859-2"), Voice("czech_krb", "czech", "cs", "iso-8859-2"),
    Voice("czech_machac", "czech", "cs", "iso-8859-2"), Voice("czech_ph", "czech", "cs", "iso-8859-2"),
    Voice("suo_fi_lj_diphone", "finnish", "it"), Voice("hy_fi_mv_diphone", "finnish", "it"),
    Voice("hindi_NSK_diphone", "hindi", "hi", "utf-8"),
    Voice("upc_ca_ona_hts", "catalan", "es", stretchable=False),
)  # fmt: skip
_CONSONANTS, _VOWEL_SIGNS = "कगचजटडतदनपबभमपबमफवयरलवशसह", ("", "ा", "ि", "ी", "ु", "ू", "े", "ो", "ै")


def script(voice: Voice, texts: list[str], stretches: list[float], folder: Path) -> bytes:
    """A festival program that writes each text to FOLDER/N.wav and FOLDER/N.lab."""
    paths = " ".join(f'"{SHARE / name}"' for name in ("hindi_scm", "upc_catalan"))
    lines = [f"(set! load-path (append (list {paths}) load-path))", f"(voice_{voice.name})"]
    for index, (text, stretch) in enumerate(zip(texts, stretches, strict=True)):
        said = text.translate({ord(mark): " " for mark in '"\\()<>[]{}'})
        if voice.stretchable:
            lines.append(f"(Parameter.set 'Duration_Stretch {stretch:.3f})")
        lines += [
            f"(set! u (utt.synth (Utterance Text \"{said}\")))",
            f'(utt.save.wave u "{folder}/{index}.wav" \'riff)', f'(utt.save.segs u "{folder}/{index}.lab")',
        ]  # fmt: skip
    return "\n".join(lines).encode(voice.encoding, "ignore")


def say(voice: Voice, texts: list[str], stretches: list[float]) -> list[tuple[NDArray[np.int16], list[TimedPhone]]]:
    """Texts -> int16 PCM at 16 kHz and timed phones. Texts that festival fails on are skipped."""
    libraries = str(ROOT / "usr/lib/x86_64-linux-gnu")
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "say.scm").write_bytes(script(voice, texts, stretches, folder))
        command = [str(ROOT / "usr/bin/festival"), "--datadir", str(SHARE), "--libdir", str(SHARE), "-b",
                   str(folder / "say.scm")]  # fmt: skip
        subprocess.run(
            command, env={**os.environ, "LD_LIBRARY_PATH": libraries}, capture_output=True, check=False, timeout=300
        )
        for index in range(len(texts)):
            if not (folder / f"{index}.lab").exists():
                break
            sound, rate_hz = soundfile.read(folder / f"{index}.wav", dtype="int16")
            phones = read_segments((folder / f"{index}.lab").read_text("latin-1"), voice.phoneset)
            found.append((soxr.resample(sound, rate_hz, RATE_HZ), phones))
    return found


def nonsense(draw: random.Random) -> str:
    """Words of random Devanagari syllables, covering every consonant before every vowel."""
    syllables = [draw.choice(_CONSONANTS) + draw.choice(_VOWEL_SIGNS) for _ in range(draw.randint(8, 24))]
    cuts = [draw.randint(2, 4) for _ in syllables]
    words, at = [], 0
    for length in cuts:
        words.append("".join(syllables[at : at + length]))
        at += length
    return " ".join(word for word in words if word)


def generate(minutes_each: float, seed: int = 5) -> None:
    """Write the source "festival" with so many minutes of each voice."""
    made: list[Utterance] = []
    began = time.monotonic()
    for voice in VOICES:
        draw, seconds = random.Random(f"{seed} {voice.name}"), 0.0
        while seconds < minutes_each * 60:
            texts = [nonsense(draw) if voice.text == "hi" else draw.choice(sentences(voice.text)) for _ in range(BATCH)]
            said = say(voice, texts, [draw.uniform(0.8, 1.25) for _ in texts])
            if not said:
                raise SystemExit(f"festival: {voice.name} could not speak any of {texts}")
            for pcm, phones in said:
                if 1.0 < len(pcm) / RATE_HZ < 14 and len(phones) > 6:
                    made.append(Utterance("festival", voice.name, voice.phoneset, f"{len(made)}", pcm, phones))
                    seconds += len(pcm) / RATE_HZ
        print(f"festival: {voice.name} {seconds / 60:.1f} min, {time.monotonic() - began:.0f} s", flush=True)
    corpus.write("festival", made)


if __name__ == "__main__":
    generate(8)
