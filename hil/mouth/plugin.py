"""Compiles card.c, the virtual microphone, for this machine's ALSA."""

import hashlib
from pathlib import Path
from typing import Final

from hil.process import run

PART: Final = "mouth"
SOURCE: Final = Path(__file__).with_name("card.c")
NAME: Final = "libasound_module_pcm_rig_microphone.so"
CONFIGURATION: Final = """pcm_type.rig_microphone {{ lib "{library}" }}
pcm.microphone {{ type rig_microphone  ring "{ring}" }}
"""


def microphone_plugin(folder: Path) -> Path:
    """The library in `folder`, compiled if the source has changed. Raises RigError: no gcc, no libasound2-dev."""
    place = folder / hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]
    library = place / NAME
    if not library.exists():
        place.mkdir(parents=True, exist_ok=True)
        made = place / f"{NAME}.new"
        run(PART, "gcc", "-O2", "-fPIC", "-shared", "-DPIC", "-o", str(made), str(SOURCE), "-lasound", "-lm")
        made.replace(library)
    return library


def alsa_configuration(library: str, ring: str) -> str:
    """The lines for asound.conf that make the PCM `microphone`."""
    return CONFIGURATION.format(library=library, ring=ring)
