"""Draws poses into an MP4 or a contact sheet, encoded with ffmpeg."""

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
    """Pipes frames into ffmpeg, with the sound of a WAV file."""

    def __init__(
        self, path: Path, *, width: int, height: int, fps: float, sound: Path | None, sound_skip_s: float = 0.0
    ) -> None:
        """sound_skip_s: how much of the sound precedes the first frame; negative, how much later it begins.

        Raises MienError when ffmpeg is missing.
        """
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
            if sound_skip_s < 0:
                # Silence, and not a later start of the track, which some players ignore.
                command += ["-af", f"adelay={round(-1000 * sound_skip_s)}:all=1"]
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

    def add(self, frame: Image) -> None:
        """Append one frame, uint8 of shape (height, width, 3)."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(frame).data)
        except BrokenPipeError:
            raise MienError(f"{self._path}: ffmpeg exited early: {self._error_output()}") from None

    def close(self) -> None:
        """Finish the file. Raises MienError with ffmpeg's error output when it failed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        output = self._error_output()
        if self._process.wait():
            raise MienError(f"{self._path}: ffmpeg failed: {output}")

    def _error_output(self) -> str:
        assert self._process.stderr is not None
        return self._process.stderr.read().decode(errors="replace").strip()


def draw_all(renderer: Renderer, poses: Iterable[NDArray[np.float32]], writer: VideoWriter, keep: int) -> list[Image]:
    """Draw every pose into the video. Returns every keep-th frame at half size, for a contact sheet."""
    kept = []
    for number, pose in enumerate(poses):
        renderer.draw(pose)
        frame = renderer.capture()
        renderer.present()
        writer.add(frame)
        if number % keep == 0:
            kept.append(frame[::2, ::2].copy())
    return kept


def contact_sheet(frames: list[Image], columns: int, path: Path) -> None:
    """Write frames of one size as one PNG, row by row."""
    import pygame

    height, width, _ = frames[0].shape
    rows = -(-len(frames) // columns)
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for number, frame in enumerate(frames):
        row, column = divmod(number, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = frame
    pygame.image.save(pygame.surfarray.make_surface(sheet.swapaxes(0, 1)), str(path))
