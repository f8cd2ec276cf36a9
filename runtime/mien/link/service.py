"""The composition root of mien-link: one event loop, a session with the voice, a connection to the broker.

Nothing here touches the kiosk's speech: without the broker, or without this process, the kiosk talks on.
"""

import asyncio
import contextlib
import logging
import os
import random
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec

from mien.client import Event, LevelChanged, Started, Welcome
from mien.core.backoff import Retry
from mien.core.counters import Counters
from mien.errors import MienError, StorageError
from mien.fleet.event import EventBase, Lifecycle
from mien.fleet.status import Status, will
from mien.host import board
from mien.host.clock import MonotonicClock
from mien.host.memory import MemoryGauge, release_unused_pages
from mien.host.notify import ServiceNotifier
from mien.link.attendance import Attendance
from mien.link.board_actions import BoardActions
from mien.link.board_control import BoardControl
from mien.link.board_faults import BoardFaults
from mien.link.broker import Broker
from mien.link.call_keeper import CallKeeper
from mien.link.commands import Commands
from mien.link.config import LinkConfig
from mien.link.discovery import discovery, discovery_topic
from mien.link.drain import Drain
from mien.link.event_queue import EventQueue
from mien.link.facts import Facts, read_facts
from mien.link.floor_keeper import FloorKeeper
from mien.link.health_maker import HealthMaker
from mien.link.intake import Intake
from mien.link.joins import join
from mien.link.network_watch import NetworkWatch
from mien.link.outbox import Outbox
from mien.link.parts import Joined, Parts
from mien.link.permission import allowed_commands
from mien.link.reporter import Reporter
from mien.link.roles_seen import RolesSeen
from mien.link.snapshot import Snapshot
from mien.link.status_keeper import StatusKeeper
from mien.link.voice_actions import VoiceActions
from mien.link.voice_link import VoiceLink
from mien.link.wall_clock import WallClock
from mien.transport import voice_endpoint
from mien.units import NS_PER_MS, NS_PER_S

log = logging.getLogger("mien.link")

IDLE_NS: Final = NS_PER_S
"""Without a change the link looks around so often."""
HURRIED_NS: Final = NS_PER_S // 10
"""And so often while somebody watches or speaks."""
LEAST_S: Final = 0.02
"""Between two looks, whatever changes."""
FLUSH_NS: Final = 150 * NS_PER_MS
"""An event is written at once unless another was written so shortly before: a card wears with every write."""
JUMP_S: Final = 5.0
SAVE_NS: Final = 60 * NS_PER_S
_MB: Final = 1_000_000


def state_folder(config: LinkConfig, run_dir: Path) -> Path:
    """events.folder, else systemd's $STATE_DIRECTORY, else a folder in the run directory (a desk)."""
    if config.events.folder:
        return Path(config.events.folder)
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(given) if given else run_dir / "link"


class LinkService:
    """path: of link.toml. Make it inside an event loop. facts to now_s: for tests."""

    def __init__(
        self,
        config: LinkConfig,
        path: Path,
        run_dir: Path,
        *,
        facts: Callable[[], Facts] = read_facts,
        control: BoardControl | None = None,
        chance: Callable[[], float] = random.random,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        """Raises StorageError when not even a temporary folder takes events."""
        told = facts()
        self._joined: list[Joined] = []
        self._config = config
        self._monotonic = MonotonicClock()
        self._notifier = ServiceNotifier(self._monotonic)
        self._clock = WallClock(told.built, board.clock_was_set, now_s=now_s)
        self._counters = Counters()
        self._state = state_folder(config, run_dir)
        self._no_card = ""
        self.events = self._open_events()
        self._woken = asyncio.Event()
        self._keeper = StatusKeeper(_first_status(config, told, self._clock), self._woken.set)
        self.outbox = Outbox(config.place)
        self._floor = FloorKeeper()
        self._attendance = Attendance()
        self._drain = Drain(self._keeper)
        self._faults = BoardFaults()
        self.snapshot = Snapshot(self._keeper.now, counters=self._counters)
        self._health = HealthMaker(self._state, MemoryGauge(self._monotonic, self._counters).mb)
        calls = CallKeeper(self._tell, said=config.tell.said)
        self._reporter = Reporter(
            keeper=self._keeper,
            health=self._health,
            calls=calls,
            floor=self._floor,
            tell=self._tell,
            utc=self._clock.utc,
            said=config.tell.said,
        )
        self._voice = VoiceLink(
            voice_endpoint(run_dir),
            hear=self._hear,
            lost=self._reporter.voice_lost,
            draining=lambda: self._drain.draining,
        )
        control = control or BoardControl()
        board_actions = BoardActions(
            control=control, drain=self._drain, voice=self._voice, snapshot=self.snapshot, config=path
        )
        self._actions = VoiceActions(
            voice=self._voice, floor=self._floor, calls=calls, reporter=self._reporter, keeper=self._keeper
        )
        self._commands = Commands(
            config.allow,
            self._actions.table() | board_actions.table(),
            outbox=self.outbox,
            tell=self._tell,
            utc=self._clock.utc,
            now_ns=time.monotonic_ns,
        )
        roles = RolesSeen(config.allow.roles)
        self.parts = Parts(
            config=config,
            folder=path.parent,
            state=self._state,
            run_dir=run_dir,
            outbox=self.outbox,
            voice=self._voice,
            floor=self._floor,
            attendance=self._attendance,
            keeper=self._keeper,
            roles=roles,
            drain=self._drain,
            board=board_actions,
            control=control,
            snapshot=self.snapshot,
            clock=self._clock,
            tell=self._tell,
        )
        self._joined = join(self.parts)
        self.intake = Intake(
            config.place,
            commands=self._commands,
            floor=self._floor,
            roles=roles,
            joined=self._joined,
            counters=self._counters,
        )
        self._network = NetworkWatch()
        self.broker = Broker(
            config,
            path.parent,
            outbox=self.outbox,
            events=self.events,
            clock=self._clock,
            network=self._network,
            retry=Retry(config.broker.retry_max_s, chance),
            receive=self.intake.receive,
            changed=self._connection_changed,
        )
        if config.tell.discovery:
            self.outbox.retain_at(discovery_topic(config.place), discovery(config.place, told), qos=1)
        self._connected = False
        self._began_ns = time.monotonic_ns()
        self._offset_s: float | None = None
        self._flush_ns = self._save_ns = self._health_ns = self._clock_ns = 0
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def _open_events(self) -> EventQueue:
        """On the card; where that is full or broken in a folder that does not last, which operators must hear of."""
        max_bytes = self._config.events.max_mb * _MB
        try:
            return EventQueue(self._state / "events", max_bytes)
        except StorageError as error:
            log.error("%s; events do not survive this process", error)
            self._no_card = str(error)
            return EventQueue(Path(tempfile.mkdtemp(prefix="mien-link-")), max_bytes)

    async def run(self) -> None:
        """Work until stop(). An error of a part ends the service: systemd starts it again."""
        self._tell(Lifecycle(queue="", seq=0, what="started"))
        release_unused_pages()
        self._notifier.ready()
        log.info("ready: %s, %d events wait", self._config.place.user, self.events.waiting)
        works = (self.broker.run(), self._voice.run(), self._commands.run(), self._steps(), self._stop_wait())
        self._tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._notifier.stopping()
            await self._close()
        log.info("stopped")

    def stop(self) -> None:
        """End run(). Call it in the loop's thread."""
        self._stop.set()

    def step(self, now_ns: int) -> None:
        """Publish what changed, do what is due by time."""
        self._drain.step(now_ns)
        self._watch_clock(now_ns)
        if (status := self._keeper.due(now_ns, self._clock.utc())) is not None:
            self.snapshot.status = status
            self.outbox.retain("status", msgspec.json.encode(status), qos=1)
        if now_ns >= self._health_ns:
            self._health_ns = now_ns + self._config.tell.health_s * NS_PER_S
            self._publish_health()
        if now_ns >= self._save_ns:
            self._save_ns = now_ns + SAVE_NS
            self.events.save()
        for part in self._joined:
            part.step(now_ns)
        self._notifier.watchdog()
        self._notifier.status(f"{self.broker.state}; {self.events.waiting} events wait; {self._keeper.now.level}")

    def _watch_clock(self, now_ns: int) -> None:
        """A clock that was set makes certificates valid: the broker is tried at once."""
        utc = self._clock.utc()
        offset_s = None if utc is None else utc - now_ns / NS_PER_S
        before_s, self._offset_s = self._offset_s, offset_s
        if offset_s is not None and (before_s is None or abs(offset_s - before_s) > JUMP_S):
            self._network.changed.set()
            self._keeper.change(started=round(offset_s + self._began_ns / NS_PER_S, 3))
            self._clock_ns = 0
        if now_ns >= self._clock_ns:
            self._clock_ns = now_ns + NS_PER_S
            self._keeper.change(clock=self._clock.state)

    async def _steps(self) -> None:
        """Look around after every change, and when something is due."""
        while True:
            self._woken.clear()
            now_ns = time.monotonic_ns()
            self.step(now_ns)
            await self._step_events(now_ns)
            await self._step_voice(now_ns)
            await asyncio.sleep(LEAST_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0, self.due_ns(now_ns) - time.monotonic_ns()) / NS_PER_S):
                    await self._woken.wait()

    def due_ns(self, now_ns: int) -> int:
        """When to look around again, as long as nothing changes. now_ns: of the last look."""
        hurried = self._keeper.now.draining or any(part.hurried for part in self._joined)
        due = [now_ns + (HURRIED_NS if hurried else IDLE_NS), self._health_ns]
        if (status_ns := self._keeper.due_ns) is not None:
            due.append(status_ns)
        if self.events.unwritten:
            due.append(self._flush_ns)
        return min(due)

    async def _step_events(self, now_ns: int) -> None:
        """Write what happened. A card may take a second for it, in which streams and speech go on."""
        if now_ns < self._flush_ns:
            return
        if self.events.unwritten:
            self._flush_ns = now_ns + FLUSH_NS
        if (sync := self.events.begin_flush()) is not None:
            await asyncio.to_thread(sync)
            self.events.end_flush(sync)
        if self.events.last > self.events.acked:
            self.broker.more_events.set()

    async def _step_voice(self, now_ns: int) -> None:
        if self._floor.vanished(now_ns):
            log.warning("%s holds the floor and shows no sign any more: it is given back", self._floor.holder)
            self._floor.sign(self._floor.holder, now_ns)  # once; the voice tells when it is free
            await self._actions_quietly(self._actions.release_vanished())
        self._attendance.speaking = self._floor.holder
        client = self._voice.client
        sign = self._attendance.news()
        if sign is not None and client is not None and self._voice.can("attend"):
            await self._actions_quietly(client.attend(**sign._asdict()))
            self._attendance.told(sign)

    async def _actions_quietly(self, action: Coroutine[Any, Any, Any]) -> None:
        """What the voice refuses now is seen in its next message."""
        try:
            await action
        except MienError as error:
            log.warning("the voice refused: %s", error)

    async def _stop_wait(self) -> None:
        await self._stop.wait()

    async def _close(self) -> None:
        self._commands.close()
        for part in self._joined:
            await part.close()
        self._tell(Lifecycle(queue="", seq=0, what="stopping"))
        self._flush()
        self.outbox.retain("status", will(), qos=1)
        await self.broker.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await asyncio.gather(self._tasks[0], return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._network.close()
        self.events.close()

    def _hear(self, event: Event) -> None:
        self._reporter.hear(event)
        if isinstance(event, Welcome):
            self._attendance.forget()
        if isinstance(event, Started):
            self._health.latency(event.latency_ms)
        if isinstance(event, LevelChanged):
            log.info("level %s -> %s: %s", event.old, event.new, event.why)
        for part in self._joined:
            part.hear(event)

    def _publish_health(self) -> None:
        health = self._health.health(
            self._clock.utc(),
            queue_events=self.events.waiting,
            events_dropped=self.events.dropped,
            reconnects=max(0, self.broker.connections - 1),
        )
        self.snapshot.health = health
        self.outbox.retain("health", msgspec.json.encode(health))
        self.snapshot.certificate_ends = self.broker.certificate_ends
        disk = self.events.failing or self._no_card
        for fault in self._faults.step(health, self._clock.state, disk, self.broker.certificate_ends):
            self._tell(fault)

    def _tell(self, event: EventBase) -> None:
        """Record an event, stamped now."""
        mono_s = round(time.monotonic(), 3)
        stamped = msgspec.structs.replace(event, at=self._clock.utc(), mono_s=mono_s)
        self.events.append(stamped)
        self._woken.set()
        for part in self._joined:
            part.happened(stamped)

    def _flush(self) -> None:
        self.events.flush()
        self.broker.more_events.set()

    def _connection_changed(self) -> None:
        connected, trouble = self.broker.connected, self.broker.trouble
        self.snapshot.connected = connected
        self.snapshot.trouble = "" if trouble is None else trouble.name
        if connected == self._connected:
            return
        self._connected = connected
        if connected:
            self._counters.count("connections")
            self._tell(Lifecycle(queue="", seq=0, what="connected"))
        else:
            self._tell(Lifecycle(queue="", seq=0, what="disconnected", why=str(trouble or "")[:200]))


def _first_status(config: LinkConfig, facts: Facts, clock: WallClock) -> Status:
    place = config.place
    return Status(
        online=True,
        site=place.site,
        board=place.name,
        version=facts.version,
        image=facts.image,
        slot=facts.slot,
        model=facts.model,
        motion=facts.motion,
        avatar=facts.avatar,
        clock=clock.state,
        allowed=allowed_commands(config.allow),
    )
