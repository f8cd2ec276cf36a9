"""Poses into an MP4 and a contact sheet, through the project's own renderer and ffmpeg."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import MienError
from mien.render.base import Renderer

Image = NDArray[np.uint8]


class VideoWriter:
    """Pipes pictures into ffmpeg, with sound from a WAV file beside them."""

    def __init__(
        self, path: Path, *, width: int, height: int, fps: float, sound: Path | None, sound_skip_s: float = 0.0
    ) -> None:
        """sound_skip_s: what of the sound lies before the first picture. Raises MienError where there is no ffmpeg."""
        if shutil.which("ffmpeg") is None:
            raise MienError("ffmpeg is not installed: apt-get install ffmpeg")
        command = [
            "ffmpeg",
            "-y",
            "-loglevel",
            "error",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-s",
            f"{width}x{height}",
            "-r",
            f"{fps}",
            "-i",
            "-",
        ]
        if sound is not None:
            command += ["-ss", f"{max(0.0, sound_skip_s):.6f}", "-i", str(sound), "-c:a", "aac", "-b:a", "128k"]
        command += [
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-crf",
            "20",
            "-pix_fmt",
            "yuv420p",
            "-movflags",
            "+faststart",
            str(path),
        ]
        self._path = path
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)

    def add(self, picture: Image) -> None:
        """One picture, uint8 (height, width, 3)."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(picture).data)
        except BrokenPipeError:
            raise MienError(f"{self._path}: ffmpeg gave up: {self._complaint()}") from None

    def close(self) -> None:
        """Finish the file. Raises MienError with ffmpeg's words when it could not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        complaint = self._complaint()
        if self._process.wait():
            raise MienError(f"{self._path}: ffmpeg failed: {complaint}")

    def _complaint(self) -> str:
        assert self._process.stderr is not None
        return self._process.stderr.read().decode(errors="replace").strip()


def draw_all(renderer: Renderer, poses: Iterable[NDArray[np.float32]], writer: VideoWriter, keep: int) -> list[Image]:
    """Draw every pose into the video. Returns every keep-th picture, for a contact sheet."""
    kept = []
    for number, pose in enumerate(poses):
        renderer.draw(pose)
        picture = renderer.capture()
        renderer.present()
        writer.add(picture)
        if number % keep == 0:
            kept.append(picture[::2, ::2].copy())
    return kept


def contact_sheet(pictures: list[Image], columns: int, path: Path) -> None:
    """Pictures of one size, row by row, as PNG."""
    import pygame

    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
    pygame.image.save(pygame.surfarray.make_surface(sheet.swapaxes(0, 1)), str(path))
