"""Makes `health` of the voice's report, with the board's vital signs. What neither tells is null."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles
from typing import Any, Final, Literal

from mien.client import HealthReport, Outcome
from mien.fleet.status import Health
from mien.host import board, vitals

LATENCIES: Final = 256
_SOUND: Final[dict[str, Literal["open", "released", "lost"]]] = {
    "open": "open",
    "released": "released",
    "lost": "lost",
}
_COUNTERS: Final = 60


class HealthMaker:
    """disk: a folder on the data partition. memory_mb: of this process. root: for tests."""

    def __init__(self, disk: Path, memory_mb: Callable[[], float], *, root: Path = board.ROOT) -> None:
        self._disk = disk
        self._memory_mb = memory_mb
        self._root = root
        self._report: HealthReport | None = None
        self._turns = 0
        self._heard_ms = 0.0
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES)

    def voice_reported(self, report: HealthReport | None) -> None:
        """The voice's newest report; None when the voice is gone."""
        self._report = report

    def finished(self, outcome: Outcome) -> None:
        """A turn finished."""
        self._turns += 1
        self._heard_ms += outcome.played_ms

    def latency(self, latency_ms: float) -> None:
        """A turn's first sound was heard so long after its request."""
        self._latencies_ms.append(latency_ms)

    def health(self, at: float | None, **link: Any) -> Health:
        """The health now. link: the link's own fields: queue_events, events_dropped, reconnects."""
        disk = vitals.disk(self._disk)
        power = board.power(self._root, vcgencmd=False)
        return Health(
            at=at,
            uptime_s=vitals.uptime_s(self._root),
            link_mb=round(self._memory_mb(), 1),
            memory_free_mb=_rounded(vitals.memory_free_mb(self._root)),
            load=vitals.load(self._root),
            temperature_c=board.hottest_c(self._root),
            throttled=None if power is None else power.now,
            disk_free_mb=None if disk is None else round(disk.free_mb, 1),
            disk_used=None if disk is None else round(disk.used, 4),
            clock_synchronized=board.clock_was_set(self._root),
            signal_dbm=vitals.signal_dbm(self._root),
            **self._of_voice(),
            **link,
        )

    def _of_voice(self) -> dict[str, Any]:
        report = self._report
        if report is None:
            return {}
        median, high = self._latencies(report)
        return {
            "fps": report.face_fps,
            "frames_missed": report.face_missed,
            "offset_median_ms": report.face_offset_median_ms,
            "offset_p95_ms": report.face_offset_p95_ms,
            "latency_p50_ms": median,
            "latency_p95_ms": high,
            "heard_s": round(self._heard_ms / 1000, 3),
            "turns": self._turns,
            "stalls": report.counters.get("turns_stalled", 0),
            "voice_mb": report.voice_pss_mb,
            "face_mb": report.face_pss_mb,
            "ear_mb": report.ear_pss_mb,
            "screen": report.face_screen,
            "sound": _SOUND.get(report.device),
            "ear": report.ear_state,
            "echo_db": report.ear_echo_db,
            "counters": {name[:64]: count for name, count in list(report.counters.items())[:_COUNTERS]},
        }

    def _latencies(self, report: HealthReport) -> tuple[float | None, float | None]:
        """Median and 95th percentile: the voice's own over all its clients, else those of the turns seen here."""
        told = report.first_sound_median_ms, report.first_sound_p95_ms
        if told != (None, None) or len(self._latencies_ms) < 2:
            return told
        cuts = quantiles(self._latencies_ms, n=20, method="inclusive")
        return round(cuts[9], 1), round(cuts[18], 1)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
