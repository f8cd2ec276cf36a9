"""Gestures: short keyframed movements, requested by the client or spontaneous."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

from mien.core.pose import CHANNEL_INDEX, Pose
from mien.face.behaviour.curves import keyframes

Gesture = Literal["nod", "shake", "wink", "smile"]
GESTURES: Final[tuple[Gesture, ...]] = get_args(Gesture)
# More at once would look like a convulsion; the oldest is dropped.
MAX_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Track:
    """Keyframes of one channel. times_s: after the gesture's start."""

    channel: str
    times_s: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def index(self) -> int:
        """The channel's index in a pose."""
        return CHANNEL_INDEX[self.channel]


def _hold(channel: str, value: float, start_s: float, up_s: float, down_s: float, end_s: float) -> Track:
    return Track(channel, (start_s, up_s, down_s, end_s), (0.0, value, value, 0.0))


_WINK: Final = (0.0, 0.10, 0.32, 0.55)
_SMILE: Final = (0.0, 0.35, 1.60, 2.40)
_WARM: Final = (0.0, 0.55, 1.60, 2.60)
_PONDER: Final = (0.0, 0.50, 1.40, 2.10)
_ASK: Final = (0.0, 0.22, 0.85, 1.60)


def _asking(side: float) -> tuple[Track, ...]:
    """After a question: brows up, head tilted and slightly forward, held for the answer."""
    return (
        _hold("browInnerUp", 0.42, *_ASK),
        _hold("browOuterUpLeft", 0.36, *_ASK),
        _hold("browOuterUpRight", 0.36, *_ASK),
        _hold("eyeWideLeft", 0.14, *_ASK),
        _hold("eyeWideRight", 0.14, *_ASK),
        _hold("headRoll", 0.055 * side, 0.0, 0.40, 1.10, 2.00),
        _hold("headPitch", 0.025, 0.0, 0.40, 1.10, 2.00),
    )


# Those not in GESTURES are spontaneous: attention, thought, warmth, and questions.
TRACKS: Final[dict[str, tuple[Track, ...]]] = {
    "nod": (
        Track("headPitch", (0.0, 0.19, 0.43, 0.64, 0.86, 1.1), (0.0, 0.150, -0.025, 0.105, -0.008, 0.0)),
        _hold("browInnerUp", 0.12, 0.0, 0.2, 0.5, 0.9),
    ),
    "shake": (
        Track("headYaw", (0.0, 0.17, 0.43, 0.69, 0.93, 1.2), (0.0, 0.140, -0.140, 0.105, -0.055, 0.0)),
        _hold("browDownLeft", 0.15, 0.0, 0.2, 0.7, 1.1),
        _hold("browDownRight", 0.15, 0.0, 0.2, 0.7, 1.1),
    ),
    "wink": (
        _hold("eyeBlinkLeft", 1.0, *_WINK),
        _hold("cheekSquintLeft", 0.65, *_WINK),
        _hold("mouthSmileLeft", 0.40, 0.0, 0.15, 0.5, 0.9),
        _hold("mouthSmileRight", 0.15, 0.0, 0.15, 0.5, 0.9),
        _hold("browDownLeft", 0.25, *_WINK),
        _hold("browOuterUpRight", 0.30, *_WINK),
        _hold("headRoll", 0.05, 0.0, 0.2, 0.4, 0.9),
    ),
    "smile": (
        _hold("mouthSmileLeft", 0.65, *_SMILE),
        _hold("mouthSmileRight", 0.65, *_SMILE),
        _hold("cheekSquintLeft", 0.45, *_SMILE),
        _hold("cheekSquintRight", 0.45, *_SMILE),
        _hold("eyeSquintLeft", 0.22, *_SMILE),
        _hold("eyeSquintRight", 0.22, *_SMILE),
        _hold("browInnerUp", 0.12, *_SMILE),
    ),
    "attend": (
        Track("headPitch", (0.0, 0.22, 0.50, 0.80), (0.0, 0.060, -0.006, 0.0)),
        _hold("browInnerUp", 0.08, 0.0, 0.2, 0.4, 0.8),
    ),
    "warm": (
        _hold("mouthSmileLeft", 0.30, *_WARM),
        _hold("mouthSmileRight", 0.26, *_WARM),
        _hold("cheekSquintLeft", 0.20, *_WARM),
        _hold("cheekSquintRight", 0.20, *_WARM),
        _hold("browOuterUpLeft", 0.12, *_WARM),
        _hold("browOuterUpRight", 0.12, *_WARM),
        _hold("headRoll", 0.03, 0.0, 0.8, 1.4, 2.6),
    ),
    "ponder": (
        _hold("mouthLeft", 0.34, *_PONDER),
        _hold("mouthRight", -0.26, *_PONDER),
        _hold("mouthShrugLower", 0.18, *_PONDER),
        _hold("browInnerUp", 0.20, *_PONDER),
        _hold("headRoll", 0.035, *_PONDER),
    ),
    "ask": _asking(1.0),
    "ask, other side": _asking(-1.0),
}  # fmt: skip
# Precomputed: (channel index, times, values) of every track, and the length of each gesture.
_COURSES: Final = {
    name: tuple((track.index, track.times_s, track.values) for track in tracks) for name, tracks in TRACKS.items()
}
_ENDS_S: Final = {name: max(track.times_s[-1] for track in tracks) for name, tracks in TRACKS.items()}


def length_s(name: str) -> float:
    """Duration of a gesture of TRACKS."""
    return _ENDS_S[name]


class Gestures:
    """The gestures in progress."""

    def __init__(self) -> None:
        self._active: list[tuple[str, float, float]] = []

    def play(self, name: str, now_s: float, scale: float = 1.0) -> None:
        """Start a gesture. name: a key of TRACKS. scale: of its amplitude."""
        if len(self._active) == MAX_AT_ONCE:
            del self._active[0]
        self._active.append((name, now_s, scale))

    def add_to(self, pose: Pose, now_s: float) -> None:
        """Add the gestures at now_s to a pose, and drop those that have ended."""
        over = False
        for name, begun_s, scale in self._active:
            age_s = now_s - begun_s
            over = over or age_s >= _ENDS_S[name]
            for index, times_s, values in _COURSES[name]:
                pose[index] += scale * keyframes(age_s, times_s, values)
        if over:
            self._active = [entry for entry in self._active if now_s - entry[1] < _ENDS_S[entry[0]]]
