"""The status line: what an operator wants to see of a running kiosk, in one line."""

from mien import __version__
from mien.core.bus import FaceHealth, VoiceHealth


def status_text(face: FaceHealth, voice: VoiceHealth | None) -> str:
    """Level, pictures a second, pose shown minus audio heard, version, and the newest client's session."""
    offset = "–" if face.offset_median_ms is None else f"{face.offset_median_ms:+.1f}".replace("-", "−")
    level = voice.level if voice is not None else face.level
    session = voice.session if voice is not None and voice.session else "none"
    return f"{level.replace('_', ' ')} · {face.fps:.0f} fps · A/V {offset} ms · mien {__version__} · session {session}"
