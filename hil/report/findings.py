"""Findings of the tests: figures, screenshots, waveforms, curves. Stored as JSON; rendered later."""

import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.captured import Sound

Numbers = Sequence[float] | NDArray[np.floating[Any]]
BUCKETS = 700  # of a waveform, across the page's width


@dataclass(slots=True)
class Findings:
    """Findings of one run on one rig. identity: of board, image, version, model."""

    rig: str
    emulated: str
    identity: dict[str, str] = field(default_factory=dict)
    figures: list[dict[str, Any]] = field(default_factory=list)
    screenshots: list[dict[str, str]] = field(default_factory=list)
    drawings: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)

    def figure(self, name: str, value: float | str, unit: str = "", *, must: str = "", note: str = "") -> None:
        """Add a measured figure. must: the requirement in words, if there is one."""
        shown = round(value, 3) if isinstance(value, float) else value
        self.figures.append({"name": name, "value": shown, "unit": unit, "must": must, "note": note})

    def screenshot(self, title: str, pixels: NDArray[np.uint8]) -> None:
        """Add a frame of the screen, uint8 (height, width, 3)."""
        from PIL import Image  # only in the rig's environment; the soak test, which takes no screenshots, runs without

        image = Image.fromarray(pixels)
        image.thumbnail((480, 480))
        packed = io.BytesIO()
        image.save(packed, "PNG", optimize=True)
        self.screenshots.append({"title": title, "png": base64.b64encode(packed.getvalue()).decode()})

    def waveform(self, title: str, sound: Sound, marks: dict[str, int] | None = None) -> None:
        """Add captured sound. marks: name of an event to its time in ns."""
        pcm = sound.pcm.astype(np.float64) / 32768
        edges = np.linspace(0, len(pcm), min(BUCKETS, max(1, len(pcm))) + 1).astype(int)[:-1]
        low, high = (np.round(reduce.reduceat(pcm, edges), 3).tolist() for reduce in (np.minimum, np.maximum))
        seconds = len(pcm) / sound.rate_hz
        at = {name: (moment - sound.start_ns) / 1e9 for name, moment in (marks or {}).items()}
        self.drawings.append(
            {"kind": "waveform", "title": title, "low": low, "high": high, "seconds": seconds, "marks": at}
        )

    def curve(
        self,
        title: str,
        x_name: str,
        y_name: str,
        curves: Mapping[str, tuple[Numbers, Numbers]],
        marks: dict[str, float] | None = None,
    ) -> None:
        """Add curves over a common x axis; points are thinned to the page's resolution."""
        self.drawings.append(
            {
                "kind": "curve",
                "title": title,
                "x": x_name,
                "y": y_name,
                "marks": marks or {},
                "curves": {name: _thin(x, y) for name, (x, y) in curves.items()},
            }
        )

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> "Findings":
        """Read what save() wrote; fields of other versions are ignored."""
        stored, known = json.loads(path.read_text()), {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})


def _thin(x: Numbers, y: Numbers, most: int = 1200) -> list[list[float]]:
    if not len(x):
        return []
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), most)).astype(int))
    return [[round(float(x[i]), 4), round(float(y[i]), 4)] for i in keep]
