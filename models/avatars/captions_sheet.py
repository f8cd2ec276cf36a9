"""Draws captions in five scripts, the status line and the signs with mien's own renderer, offscreen:

    python models/avatars/captions_sheet.py OUT.jpg [FOLDER]

FOLDER: where to write every screenshot in full size, as PNG.
"""

import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame

from mien.avatar.load import load_avatar
from mien.config import parse_config
from mien.core import bus
from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.core.stats import Counters
from mien.face.overlay.annotations import Annotations
from mien.face.state import CueStore
from mien.render.gles import GlesRenderer
from mien.render.jpeg import encode_jpeg
from mien.units import NS_PER_MS, NS_PER_S

TEXTS = {
    "english": ("The train to the airport leaves at a quarter past nine from platform seven.", 2100),
    "russian": ("Поезд в аэропорт отправляется в девять пятнадцать с седьмого пути.", 2000),
    "arabic": ("يغادر القطار إلى المطار في الساعة التاسعة والربع من الرصيف رقم 7.", 2200),
    "chinese": ("前往机场的列车将于九点十五分从七号站台发车，请您提前五分钟上车。", 1600),
    "hindi": ("हवाई अड्डे की ट्रेन सवा नौ बजे प्लेटफ़ॉर्म सात से चलेगी।", 2300),
}
WIDE = ("wide-english", "wide-arabic", "wide-lost")
PORTRAIT, LANDSCAPE = (720, 1280), (1280, 720)
LENGTH_MS = 4600
CELL_HEIGHT = 432
CONFIG = parse_config({"captions": {"enabled": True}, "face": {"status_line": True}}, "sheet")
HEALTH = bus.FaceHealth(
    epoch=1,
    pid=1,
    level="full",
    fps=30.0,
    shown=1,
    missed=0,
    offset_median_ms=-1.4,
    offset_p95_ms=4.0,
    motion_lead_ms=200.0,
    pss_mb=90.0,
    counters={},
)
VOICE = bus.VoiceHealth(epoch=1, pid=1, level="full", clients=1, pss_mb=30.0, counters={}, session="2f9c41-3")

Pixels = NDArray[np.uint8]


class Stage:
    """One screen with its overlay, on a manual clock."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.renderer = GlesRenderer(load_avatar(None), width=size[0], height=size[1])
        self._cues = CueStore()
        self._annotations = Annotations(CONFIG, self.renderer, self._cues, Counters())
        self._now_ns = 0
        self._pose = new_pose()

    def screenshot(self, text: str, heard_ms: int, *, phase: bus.Phase = "speaking", lost: bool = False) -> Pixels:
        """A screenshot at the moment when `heard_ms` of the turn have been heard."""
        self._cues.take(bus.CaptionCue(epoch=1, turn=text[:8], text=text, length_ms=LENGTH_MS))
        anchor = bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=NS_PER_S, phase=phase, turn=text[:8])
        for _ in range(40):
            self._now_ns += 50 * NS_PER_MS
            self._annotations.step(self._now_ns, anchor, heard_ms * NS_PER_MS, voice=VOICE, motion_lost=lost)
            self._annotations.show_health(HEALTH)
            assert self._annotations.worker is not None
            self._annotations.worker.do()
        self._pose[CHANNEL_INDEX["jawOpen"]] = 0.22 if phase == "speaking" and not lost else 0.0
        self.renderer.draw(self._pose)
        pixels = self.renderer.capture()
        self.renderer.present()
        return pixels


def scaled(pixels: Pixels, height: int) -> Pixels:
    """A smoothly scaled-down copy."""
    surface = pygame.surfarray.make_surface(pixels.swapaxes(0, 1))
    width = round(pixels.shape[1] * height / pixels.shape[0])
    return pygame.surfarray.array3d(pygame.transform.smoothscale(surface, (width, height))).swapaxes(0, 1)


def main(out: Path, folder: Path | None) -> None:
    """Draw all screenshots."""
    stage = Stage(PORTRAIT)  # one at a time, because offscreen stages share a window
    portraits = {name: stage.screenshot(*text) for name, text in TEXTS.items()}
    portraits["paused"] = stage.screenshot(*TEXTS["english"], phase="paused")
    stage.renderer.close()
    stage = Stage(LANDSCAPE)
    landscapes = {f"wide-{name}": stage.screenshot(*TEXTS[name]) for name in ("english", "arabic", "chinese")}
    landscapes["wide-lost"] = stage.screenshot(*TEXTS["russian"], lost=True)
    stage.renderer.close()
    if folder:
        for name, pixels in {**portraits, **landscapes}.items():
            pygame.image.save(pygame.surfarray.make_surface(pixels.swapaxes(0, 1)), folder / f"{name}.png")
    first = np.concatenate([scaled(portraits[name], CELL_HEIGHT) for name in TEXTS], axis=1)
    height = round(first.shape[1] / len(WIDE) * LANDSCAPE[1] / LANDSCAPE[0])
    second = np.concatenate([scaled(landscapes[name], height) for name in WIDE], axis=1)
    width = min(first.shape[1], second.shape[1])
    sheet = np.ascontiguousarray(np.concatenate((first[:, :width], second[:, :width]), axis=0))
    out.write_bytes(encode_jpeg(sheet))
    print(f"{out}: {sheet.shape[1]}x{sheet.shape[0]}, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
