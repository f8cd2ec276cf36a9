"""Runs a visit on a client of the voice: what it shows goes there, one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Final, Literal

from mien.client import AsyncClient, CallAnswered, ClientError, Draining, Floor, Offered, Presence, Welcome
from mien.client import Visit as News
from mien.config import ScreenConfig, VisitConfig
from mien.converse import events
from mien.converse.conversation import Conversation
from mien.converse.history import STAFF_SAID, Exchange
from mien.converse.visit import signals
from mien.converse.visit.host import Items, VisitHost
from mien.converse.visit.life import Visit
from mien.converse.visit.record import Record
from mien.converse.visit.times import times
from mien.units import NS_PER_S, minutes_of_day

log = logging.getLogger("mien.converse")

AGAIN_S: Final = 1.0  # after a voice that was away
NEWS_KEPT: Final = 32  # while the voice is away; the oldest go first


class Visiting:
    """host: the visit, for the agent that runs the conversation. ended(record), refused(question, language): see
    VisitHost."""

    def __init__(
        self,
        client: AsyncClient,
        conversation: Conversation,
        config: VisitConfig,
        screen: ScreenConfig,
        *,
        speak_keys: bool,
        ended: Callable[[Record], None],
        refused: Callable[[str, str], None] = lambda *_: None,
        languages: tuple[str, ...] = (),
        captions: bool = False,
        caption: Callable[[bool], None] = lambda _: None,
        questions: Callable[[Record], tuple[str, ...]] = lambda _: (),
        wall: Callable[[], datetime] = datetime.now,
    ) -> None:
        """speak_keys: the greeting names the keys of the buttons. languages, captions, caption, questions:
        see VisitHost.

        wall: the local time.
        """
        self._client = client
        self._screen, self._wall = screen, wall
        self._wanted: tuple[Items, str] = ({}, "")
        self._sent_qr = ""
        self._wants_person = self._called = False
        self._changed, self._has_news = asyncio.Event(), asyncio.Event()
        self._news: deque[News] = deque(maxlen=NEWS_KEPT)
        self._newest: News | None = None
        self.host = VisitHost(
            Visit(times=times(config)),
            conversation,
            self._show,
            self._call,
            ended,
            buttons=config.buttons,
            attract=config.attract,
            greeting=config.greeting,
            refused=refused,
            speak_keys=speak_keys,
            languages=languages,
            captions=captions,
            caption=caption,
            qr=config.qr,
            qr_ns=config.qr_s * NS_PER_S,
            report=self._report,
            questions=questions,
        )

    def quiet_hours(self) -> bool:
        """Whether these are the quiet hours of the screen."""
        screen = self._screen
        if not screen.quiet_from:
            return False
        now = self._wall()
        begin, end = minutes_of_day(screen.quiet_from), minutes_of_day(screen.quiet_until)
        minute = 60 * now.hour + now.minute
        return begin <= minute < end if begin < end else minute >= begin or minute < end

    async def serve(self) -> None:
        """Show what the visit wants shown, and tell where it stands, until cancelled."""
        await asyncio.gather(self._show_panels(), self._tell_news())

    async def _tell_news(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            try:
                while self._news:
                    await self._client.visit(self._news[0])
                    self._news.popleft()
            except ClientError as error:
                log.warning("%s", error)
                await asyncio.sleep(AGAIN_S)
                self._has_news.set()

    async def _show_panels(self) -> None:
        """Of what changes meanwhile only the newest is shown."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._order_person()
                items, self._sent_qr = self._wanted
                await self._client.choices(items, qr=self._sent_qr)
            except ClientError as error:  # an agent holds the floor, or the voice is away: it shows nothing
                log.warning("%s", error)
                if error.retryable:
                    await asyncio.sleep(AGAIN_S)
                    self._changed.set()

    def offered(self, offered: Offered) -> list[events.Event]:
        """What was sent is on the screen, or is not."""
        if offered.state != "shown" or not self._sent_qr:
            return []
        if not offered.qr:
            log.warning("the screen shows no QR code: see the log of mien-face")
        return self.host.offered(qr=offered.qr)

    def _show(self, items: Items, qr: str) -> None:
        self._wanted = (items, qr)
        self._changed.set()

    def event(self, event: object) -> signals.Signal | None:
        """What an event of the voice means for the visit."""
        match event:
            case Welcome():  # a voice that was restarted shows nothing, and knows of no visit
                self._called = False
                self._changed.set()
                if self._newest is not None and not self._news:
                    self._news.append(self._newest)
                    self._has_news.set()
            case CallAnswered():
                return signals.PersonAnswered(event.coming, event.in_s)
            case Floor(holder=""):
                return signals.PersonLeft(event.note)
            case Floor():
                return signals.PersonSpeaks()
            case Draining():
                return signals.Closing(event.on)
            case Presence():
                return signals.Present(event.present, event.source)
        return None

    def _report(self, news: News) -> None:
        self._newest = news
        self._news.append(news)
        self._has_news.set()

    def _call(self, open_: bool) -> None:
        self._wants_person = open_
        self._changed.set()

    async def _order_person(self) -> None:
        if self._wants_person == self._called:
            return
        if self._wants_person:
            exchanges = self.host.conversation.history.snapshot()
            said = [spoken for exchange in exchanges for spoken in _spoken(exchange)]
            question = next((one.question for one in reversed(exchanges) if not one.staff), "")
            await self._client.call(question, language=self.host.language, conversation=said)
        else:
            await self._client.hang_up()
        self._called = self._wants_person


def _spoken(exchange: Exchange) -> list[tuple[Literal["customer", "kiosk"], str]]:
    """What both said, for the person who is called; a note of staff is the kiosk's knowledge, and not the visitor's."""
    if exchange.question == STAFF_SAID:
        return [("kiosk", exchange.heard)]
    if exchange.staff:
        return [("kiosk", f"{exchange.question} {exchange.heard}")]
    return [("customer", exchange.question), ("kiosk", exchange.heard)]
