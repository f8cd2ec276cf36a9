"""Keeps the log: a visit that has ended becomes a line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

from mien.config import Config
from mien.converse.latency import Measured
from mien.converse.think.knowledge_file import SHIPPED, read_knowledge
from mien.converse.visit.log.files import VisitFiles
from mien.converse.visit.log.line import visit_line
from mien.converse.visit.log.masking import Mask, masker
from mien.converse.visit.phrases import LANGUAGES
from mien.converse.visit.record import Record
from mien.errors import ConfigError
from mien.units import NS_PER_S

log = logging.getLogger("mien.converse")

MOST_UNANSWERED = 20
MOST_CHARACTERS = 200


class VisitKeeper:
    """mask: of questions without an answer; None keeps no text. wall: the local time."""

    def __init__(
        self,
        files: VisitFiles,
        *,
        mask: Mask | None,
        wall: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._files = files
        self._mask, self._wall = mask, wall
        self._unanswered: list[str] = []
        self._cleaned: date | None = None
        self.step()

    def refused(self, question: str, language: str) -> None:
        """A question had no answer. Nothing of it is kept unless the configuration says so, and then masked."""
        if self._mask is not None and len(self._unanswered) < MOST_UNANSWERED:
            self._unanswered.append(self._mask(question, language)[:MOST_CHARACTERS])

    def questions(self, record: Record) -> tuple[str, ...]:
        """Those without an answer, masked, that may be kept of the visit that ends: none of who said no."""
        return tuple(self._unanswered) if record.consented is not False else ()

    def ended(self, record: Record, answers: Iterable[Measured] = ()) -> None:
        """A visit is over: write its line, forget the rest. A disk that is full costs the line, not the kiosk."""
        now = self._wall()
        latencies_ms = tuple(answer.stages_ms() for answer in answers if answer.heard_ns)
        unanswered = self.questions(record)
        self._unanswered.clear()
        began = now - timedelta(seconds=(record.ended_ns - record.began_ns) / NS_PER_S)
        line = visit_line(
            record,
            began.astimezone(),
            latencies_ms=latencies_ms,
            unanswered=unanswered,
        )
        try:
            self._files.write(line, now)
        except ConfigError as error:
            log.error("%s", error)
        self.step()

    def step(self) -> None:
        """Delete what is too old, once a day. Call it now and then."""
        today = self._wall().date()
        if today != self._cleaned:
            self._cleaned = today
            for name in self._files.delete_old(today):
                log.info("deleted %s: its time is over", name)


def keeper(config: Config) -> VisitKeeper | None:
    """That of a configuration; None where none is kept. Raises ConfigError."""
    visit, converse = config.visit, config.converse
    if not visit.log:
        return None
    mask = None
    if visit.keep_text:
        knowledge = read_knowledge(Path(converse.knowledge).expanduser() if converse.knowledge else SHIPPED)
        texts = [text for entry in knowledge.entries for text in (*entry.questions, entry.answer)]
        words = frozenset(word.strip(".,;:!?\"'()").lower() for text in texts for word in text.split())
        mask = masker(LANGUAGES if converse.language == "auto" else (converse.language,), words)
    return VisitKeeper(
        VisitFiles(Path(visit.log).expanduser(), visit.keep_days),
        mask=mask,
    )
