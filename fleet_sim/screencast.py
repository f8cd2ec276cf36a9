"""A film of a browser's page: the pictures that chromium shows, at their times, with a sound beside them."""

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mien.errors import MienError


class Picture(NamedTuple):
    """at_s: when it was shown, UTC. path: a JPEG."""

    at_s: float
    path: Path


class Screencast:
    """Collects pictures of a playwright page from begin() to end(), into a folder.

    Its events come while playwright waits, so wait with page.wait_for_timeout().
    """

    def __init__(self, page: Any, folder: Path, width: int, height: int) -> None:
        self.pictures: list[Picture] = []
        self._folder = folder
        self._session = page.context.new_cdp_session(page)
        self._session.on("Page.screencastFrame", self._take)
        self._size = {"maxWidth": width, "maxHeight": height}

    def begin(self) -> None:
        """From now on."""
        self._session.send("Page.startScreencast", {"format": "jpeg", "quality": 85, **self._size})

    def end(self) -> None:
        """Until now."""
        self._session.send("Page.stopScreencast")

    def _take(self, frame: dict[str, Any]) -> None:
        path = self._folder / f"{len(self.pictures):06}.jpg"
        path.write_bytes(base64.b64decode(frame["data"]))
        self.pictures.append(Picture(frame["metadata"]["timestamp"], path))
        self._session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})


def concat_list(pictures: Sequence[Picture], last_s: float = 0.5) -> str:
    """The pictures with their durations, for ffmpeg's concat demuxer. last_s: of the last one."""
    lines = []
    for number, picture in enumerate(pictures):
        later = pictures[number + 1].at_s if number + 1 < len(pictures) else picture.at_s + last_s
        lines += [f"file '{picture.path}'", f"duration {max(0.001, later - picture.at_s):.3f}"]
    return "\n".join([*lines, f"file '{pictures[-1].path}'", ""])  # the last duration counts only with a file after it


def sound_options(sound: Path, heard_at_s: float, began_s: float) -> list[str]:
    """ffmpeg's input of a WAV whose first frame was heard at heard_at_s, in a film that began at began_s (UTC)."""
    early_s = began_s - heard_at_s
    return ["-ss" if early_s >= 0 else "-itsoffset", f"{abs(early_s):.3f}", "-i", str(sound)]


def write_film(
    pictures: Sequence[Picture], out: Path, *, sound: Path | None = None, heard_at_s: float = 0.0, fps: int = 25
) -> None:
    """Write an mp4. sound: a WAV, whose first frame was heard at heard_at_s (UTC). Raises MienError."""
    if not pictures:
        raise MienError("chromium showed no pictures: there is nothing to film")
    names = pictures[0].path.with_name("pictures.txt")
    names.write_text(concat_list(pictures), encoding="utf-8")
    heard = sound_options(sound, heard_at_s, pictures[0].at_s) if sound is not None else []
    coded = ["-c:a", "aac", "-b:a", "96k", "-shortest"] if sound is not None else []
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "concat", "-safe", "0", "-i", str(names), *heard]
    command += ["-vf", f"fps={fps},format=yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", *coded]
    made = subprocess.run([*command, "-movflags", "+faststart", str(out)], capture_output=True, text=True)
    if made.returncode:
        raise MienError(f"ffmpeg made no film: {made.stderr.strip()[-300:]}")
