"""Runs an update: asks the server, moves the record on, does what its phase wants."""

import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Final, Literal, Protocol

from mien.errors import StorageError, UpdateError
from mien.link.config import UpdateConfig
from mien.link.update import ddi, machine
from mien.link.update.board import Board, BoardState, Bundle, Inspection, Kiosk
from mien.link.update.ddi import Cancel, Poll
from mien.link.update.download import Download
from mien.link.update.http import Http
from mien.link.update.machine import EARLY, Limits, Offer, Seen
from mien.link.update.record import Record, Store
from mien.link.update.reports import Report, cancel_answer, report_of
from mien.link.update.window import Window

log = logging.getLogger(__name__)

ACTIVE_POLL_S: Final = 60.0
SLICE_S: Final = 1.0
STEP_S: Final = 1.0
RETRY_S: Final = 5.0
RETRY_MAX_S: Final = 300.0
REPEAT_S: Final = 600.0
AGAIN_S: Final = 60.0
MAX_STALLED: Final = 100
REFUSED: Final = (400, 404, 405, 409, 410, 422)
TOLD: Final = ("downloading", "installing", "restarting")


class Tell(Protocol):
    """A stage for an `update` event: downloading, installing, restarting, good, failed, rolled_back or cancelled."""

    def __call__(self, action: str, stage: str, version: str, what: str) -> None:
        """what: why, in words."""
        ...


def local_minute() -> int:
    """The minute of the local day."""
    now = time.localtime()
    return now.tm_hour * 60 + now.tm_min


class Updater:
    """One thread calls `step` again and again. Nothing that fails here disturbs the kiosk: it is logged and retried."""

    def __init__(
        self,
        config: UpdateConfig,
        http: Http,
        board: Board,
        kiosk: Kiosk,
        folder: Path,
        tell: Tell,
        *,
        clock: Callable[[], float] = time.monotonic,
        minute: Callable[[], int | None] = local_minute,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """folder: on the data partition. minute: None while the clock is not set. Raises ConfigError, StorageError."""
        self._config, self._http, self._board, self._kiosk, self._folder = config, http, board, kiosk, folder
        self._tell, self._clock, self._minute, self._jitter = tell, clock, minute, jitter
        self._window = Window(config.window)
        self._limits = Limits(max_bytes=config.max_mb * 1_000_000, good_within_s=config.good_within_s)
        self._store = Store(folder)
        self._record = self._store.load()
        self._offer: Offer = "unknown"
        self._cancel: Cancel | None = None
        self._download: Download | None = None
        self._inspection: Inspection | None = None
        self._fetch_error = ""
        self._stalled = (0, 0)  # attempts without a new byte, bytes that were here
        self._failures = 0
        self._next_poll_s = self._quiet_until_s = self._rehearsed_s = self._rebooted_s = float("-inf")
        self._fetch_after_s = float("-inf")
        self._ended = ("", float("-inf"))
        self._draining = False
        self._warned = ""

    @property
    def record(self) -> Record:
        """What the update has reached."""
        return self._record

    @property
    def stage(self) -> str:
        """For `status.update`."""
        return machine.stage(self._record)

    def run(self, stop: Event) -> None:
        """Until `stop` is set."""
        while not stop.wait(self.step()):
            pass

    def step(self) -> float:
        """One round. Returns the seconds until the next."""
        now_s = self._clock()
        if now_s >= max(self._next_poll_s, self._quiet_until_s):
            self._try(self._poll)
        board = self._look()
        self._move(board)
        if self._clock() >= self._quiet_until_s:
            self._try(self._report)
        if board is not None:
            self._act(board)
        self._clean()
        return self._pause_s()

    # The server

    def _try(self, ask: Callable[[], None]) -> None:
        """An attempt at the network; after a failed one nothing is asked for a while."""
        try:
            ask()
        except UpdateError as error:
            delay_s = min(RETRY_MAX_S, RETRY_S * 2 ** min(self._failures, 10)) * (0.5 + self._jitter())
            self._failures += 1
            self._quiet_until_s = self._clock() + delay_s
            log.warning("%s; again in %.0f s", error, delay_s)
        else:
            self._failures = 0

    def _poll(self) -> None:
        found = ddi.parse_poll(self._http.get(self._http.base))
        interval_s = found.sleep_s or float(self._config.poll_s)
        if self._record.phase in EARLY:
            interval_s = min(interval_s, ACTIVE_POLL_S)
        self._next_poll_s = self._clock() + interval_s * (0.9 + 0.2 * self._jitter())
        if found.config:
            self._send_attributes(found.config)
        self._cancel = ddi.parse_cancel(self._http.get(self._http.own(found.cancel))) if found.cancel else None
        # A request to cancel replaces the deployment in the server's answer, and withdraws nothing else.
        if not found.cancel:
            self._offer = self._deployment(found)

    def _deployment(self, found: Poll) -> Offer:
        if not found.deployment:
            return None
        try:
            offer = ddi.parse_deployment(self._http.get(self._http.own(found.deployment)), plain=self._http.plain)
        except ddi.Unusable as error:
            return self._refuse(error.action, str(error))
        try:
            self._http.permitted(offer.artifact.href)
        except UpdateError as error:
            return self._refuse(offer.action, str(error))
        ended, since_s = self._ended
        if offer.action == ended and self._clock() - since_s < REPEAT_S:
            return "unknown"  # a server that offers what has just ended; a person may mean it, later
        return offer

    def _refuse(self, action: str, why: str) -> Literal["unknown"]:
        if self._record.phase in ("idle", *EARLY) and action != self._ended[0]:
            self._become(machine.refused(self._record, action, "", why))
        return "unknown"

    def _send_attributes(self, href: str) -> None:
        board = self._look()
        if board is None:
            return
        data = {
            "hw_boardname": board.compatible,
            "hw_revision": "default",
            "sw_version": board.version,
            "build": board.build,
            "slot": board.slot,
            "site": self._http.place.site,
            "board": self._http.place.name,
        }
        self._http.send("PUT", self._http.own(href), {"mode": "merge", "data": data})

    def _report(self) -> None:
        if self._cancel is not None:
            self._answer_cancel(self._cancel)
        received = self._download.received if self._download else 0
        size = self._record.artifact.size if self._record.artifact else 1
        report = report_of(self._record, received / size)
        if report is None:
            return
        self._send_feedback("deploymentBase", self._record.action, report.body)
        self._reported(report)

    def _answer_cancel(self, cancel: Cancel) -> None:
        self._send_feedback("cancelAction", cancel.id, cancel_answer(self._record, cancel.id, cancel.stop))
        self._cancel = None
        if self._record.phase == "idle":
            self._offer = "unknown"

    def _send_feedback(self, kind: str, identity: str, body: dict[str, object]) -> None:
        """A server that no longer knows the action has been told as far as anybody can."""
        try:
            self._http.send("POST", f"{self._http.base}/{kind}/{identity}/feedback", body)
        except UpdateError as error:
            if error.status not in REFUSED:
                raise
            log.warning("%s: the server does not take feedback of %s %s", error, kind, identity)

    def _reported(self, report: Report) -> None:
        if report.final:
            self._ended = (self._record.action, self._clock())
            self._offer = "unknown"
            self._become(machine.idle(self._record))
        else:
            self._become(machine.told(self._record, report.stage))

    # The record

    def _look(self) -> BoardState | None:
        try:
            return self._board.look()
        except UpdateError as error:
            self._warn(str(error))
            return None

    def _warn(self, text: str) -> None:
        """What fails again and again in the same way is logged once."""
        if text != self._warned:
            self._warned = text
            log.warning("%s", text)

    def _move(self, board: BoardState | None) -> None:
        """As far as what is known now carries."""
        for _ in range(8):
            moved = machine.advance(self._record, self._seen(board))
            if moved == self._record or not self._become(moved):
                return

    def _seen(self, board: BoardState | None) -> Seen:
        held = self._download
        return Seen(
            board=board,
            offer=self._offer,
            cancel=self._cancel,
            window=self._window.is_open(self._minute()),
            drained=self._draining and self._kiosk.drained(),
            face=self._kiosk.face_seen(),
            turn=self._kiosk.turn_heard(),
            fetched=held is not None and held.whole and held.path.exists(),
            fetch_error=self._fetch_error,
            inspection=self._inspection,
            limits=self._limits,
        )

    def _become(self, record: Record) -> bool:
        """Take over a record once it is on the disk. Returns whether it is."""
        before = self._record
        try:
            self._store.save(record)
        except StorageError as error:
            log.error("%s", error)
            return False
        self._record = record
        if record.artifact != before.artifact and self._download is not None:
            self._download.close()
            self._download = None
        if record.action != before.action or record.phase in ("downloading", "idle"):
            self._inspection, self._fetch_error = None, ""
        if record.phase != before.phase:
            self._next_poll_s = min(self._next_poll_s, self._clock() + ACTIVE_POLL_S)
            self._announce(before, record)
        return True

    def _announce(self, before: Record, record: Record) -> None:
        log.info("update %s: %s %s", record.action or before.action, record.phase, record.why)
        if record.phase in TOLD:
            self._tell(record.action, record.phase, record.version, "")
        elif record.phase == "closed":
            self._tell(record.action, record.outcome, record.version, record.why)
        elif record.phase == "idle" and before.phase in EARLY and record.last and record.last.outcome == "cancelled":
            self._tell(before.action, "cancelled", before.version, record.last.why)

    # What a phase wants

    def _act(self, board: BoardState) -> None:
        phase, now_s = self._record.phase, self._clock()
        self._drain(phase in ("draining", "installing", "restarting"))
        try:
            if phase == "downloading" and now_s >= self._fetch_after_s:
                self._fetch()
            elif phase in ("waiting", "draining") and self._inspection is None:
                self._inspection = self._board.inspect(self._bundle())
            elif (
                phase == "installing"
                and board.boot == self._record.boot
                and board.install.tag != machine.tag(self._record)
            ):
                self._board.install(self._bundle(), machine.tag(self._record))
            elif phase == "restarting" and self._kiosk.drained() and now_s - self._rebooted_s > AGAIN_S:
                self._rebooted_s = now_s
                self._board.reboot()
            elif phase == "trial" and not self._record.turn and now_s - self._rehearsed_s > AGAIN_S:
                self._rehearsed_s = now_s
                self._kiosk.rehearse()
        except UpdateError as error:
            self._warn(str(error))

    def _drain(self, on: bool) -> None:
        if on or self._draining:
            self._kiosk.drain(on)
        self._draining = on

    def _bundle(self) -> Bundle:
        artifact = self._record.artifact
        assert artifact is not None
        if not self._record.stream:
            return Bundle(path=str(self._held().path))
        url = self._http.permitted(artifact.href)
        return Bundle(url=url, ca=self._http.ca, headers=self._http.authority(url))

    def _held(self) -> Download:
        artifact = self._record.artifact
        assert artifact is not None
        if self._download is None:
            self._download = Download(self._http, artifact, self._folder)
        return self._download

    def _fetch(self) -> None:
        until_s = self._clock() + SLICE_S
        held = self._held()
        before = held.received
        try:
            held.step(lambda: self._clock() < until_s)
            self._stalled = (0, held.received)
        except UpdateError as error:
            attempts = self._stalled[0] + 1 if held.received <= before else 0
            self._stalled = (attempts, held.received)
            if error.final or attempts >= MAX_STALLED:
                self._fetch_error = str(error)
                return
            delay_s = min(RETRY_MAX_S, RETRY_S * 2 ** min(attempts, 10)) * (0.5 + self._jitter())
            self._fetch_after_s = self._clock() + delay_s
            log.warning("%s; again in %.0f s", error, delay_s)

    def _clean(self) -> None:
        """Remove a bundle that no phase needs."""
        if self._record.phase in (*EARLY, "installing"):
            return
        if self._download is not None:
            self._download.close()
            self._download = None
        for path in self._folder.glob("*.raucb"):
            path.unlink(missing_ok=True)

    def _pause_s(self) -> float:
        now_s, phase = self._clock(), self._record.phase
        if phase == "downloading":
            return max(0.0, min(self._fetch_after_s - now_s, STEP_S))
        if phase != "idle":
            return STEP_S
        return max(STEP_S, min(max(self._next_poll_s, self._quiet_until_s) - now_s, ACTIVE_POLL_S))
