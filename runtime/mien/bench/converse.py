"""The benchmark of mien converse: customers in a room with the kiosk, through the whole system in real time.

The microphone hears them, the echo of the kiosk's own voice, noise (converse_room). The rest is what runs on a kiosk.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import soxr

from mien.bench.converse_questions import BACKCHANNELS, BARGE_INS, OFF_TOPIC, PERSON, QUESTIONS
from mien.bench.converse_room import RoomScene, room_ear
from mien.bench.ear_rooms import rooms
from mien.bench.ear_voices import CACHE, RATE_HZ, Signal, human_turns, speak
from mien.bench.offsets import FrameTrace, first_motion_ns
from mien.bench.rows import Report, Row, machine, percentile_row
from mien.bench.session import SMALL_KIOSK, Session, running_session
from mien.client import AsyncClient, connect_async
from mien.config import ConverseConfig
from mien.converse import orders
from mien.converse import start as converse
from mien.converse.agent import Agent
from mien.converse.latency import STAGES, Measured
from mien.converse.stages import Speaking
from mien.converse.think.knowledge_file import sentences_of
from mien.errors import MienError
from mien.host.memory import pss_mb
from mien.transport import voice_endpoint
from mien.units import NS_PER_MS, NS_PER_S

Progress = Callable[[str], None]

SETTINGS: Final = {**SMALL_KIOSK, "barge_in.mode": "pause"}
PIPER: Final = "Piper"
VOICES: Final = ("flite:slt", PIPER, "flite:rms")
"""Not espeak-ng's, nor flite's others: in a room Whisper tiny.en gets a quarter to half of their words wrong, of these
a seventh. Piper's is the kiosk's own voice."""

LONG_QUESTION: Final = "What is there to see in the special exhibition?"
INTO_ANSWER_S: Final = 1.0
PATIENCE_S: Final = 20.0
PAUSE_S: Final = 1.2
SETTLE_S: Final = 4.0
MEMORY_BAR_MB: Final = 700.0
MOTION_BAR_MS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each."""

    questions: int
    off_topic: int
    barge_ins: int
    coughs: int
    persons: int
    humans: int


FULL: Final = Size(100, 20, 30, 20, 10, 16)
QUICK: Final = Size(8, 3, 3, 3, 2, 4)


@dataclass(slots=True)
class Found:
    """What came of all customers."""

    latencies_ms: list[float] = field(default_factory=list)
    stages: list[Measured] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    refused: list[bool] = field(default_factory=list)
    interrupted: list[bool] = field(default_factory=list)
    resumed: list[bool] = field(default_factory=list)
    called: list[bool] = field(default_factory=list)
    human_ms: list[float] = field(default_factory=list)
    human_in_time: list[bool] = field(default_factory=list)
    answers_heard_out: int = 0
    self_interruptions: int = 0
    late_echo_ms: float = 0.0
    memory_mb: float = 0.0


def run_converse(quick: bool, progress: Progress) -> Report:
    """Run the benchmark. Raises MienError: an engine, a package or a tool is missing, and says which."""
    size = QUICK if quick else FULL
    config = ConverseConfig(cache=str(CACHE / "converse"), speak_python=os.environ.get("MIEN_PIPER_PYTHON", ""))
    progress("preparing the fixed answers")
    asyncio.run(converse.prepare(config, progress))
    scene = RoomScene(rooms(2)[1])
    with running_session(SETTINGS) as session, room_ear(session.stack.run_dir, scene):
        found = asyncio.run(_visit(session, config, scene, size, progress))
    assert session.trace is not None
    return Report(benchmark="converse", rows=tuple(_rows(found, session.trace)), machine=machine())


async def _visit(session: Session, config: ConverseConfig, scene: RoomScene, size: Size, progress: Progress) -> Found:
    endpoint = voice_endpoint(session.stack.run_dir)
    async with (
        connect_async(endpoint, rate_hz=converse.RATE_HZ, name="mien converse") as client,
        converse.engines(config) as loaded,
        _Customers.of(client, config, loaded, scene, progress) as customers,
    ):
        await customers.all(size)
        processes = [session.stack.voice, session.stack.face]
        pids = [process.pid for process in processes if process is not None] + loaded.pids
        customers.found.late_echo_ms = scene.late_echo_ms
        customers.found.memory_mb = sum(pss_mb(pid) for pid in pids)
        return customers.found


class _Customers:
    """Says one thing after the other to a running agent, and notes what comes of it."""

    def __init__(self, scene: RoomScene, speaking: Speaking, progress: Progress) -> None:
        self.found = Found()
        self._speaking = speaking
        self._scene = scene
        self._progress = progress
        self._count = 0
        self._notes: list[orders.Note | orders.Perform] = []
        self._agent: Agent | None = None
        self._answers: dict[str, str] = {}

    @classmethod
    @asynccontextmanager
    async def of(
        cls,
        client: AsyncClient,
        config: ConverseConfig,
        loaded: converse.Engines,
        scene: RoomScene,
        progress: Progress,
    ) -> AsyncIterator[_Customers]:
        """With the agent running."""
        made = cls(scene, loaded.speaking, progress)
        made._agent = converse.make_agent(client, config, loaded, made._notes.append)
        made._answers = {
            entry.questions[0]: next(sentences_of(entry.answer)) for entry in converse.knowledge(config).entries
        }
        running = asyncio.ensure_future(made._agent.run())
        try:
            await made._until(lambda: made._agent is not None and made._agent.ear == "ok", "the ear is ready")
            yield made
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def all(self, size: Size) -> None:
        """Everybody, in turn."""
        await asyncio.sleep(1.0)
        asked = [(heading, text) for heading, texts in QUESTIONS.items() for text in texts]
        step = max(1, len(asked) // size.questions)
        for heading, text in asked[::step][: size.questions]:
            said = await self._ask(text)
            self.found.right.append(self._answers[heading] in said)
        for text in OFF_TOPIC[: size.off_topic]:
            self.found.refused.append("Shall I call somebody?" in await self._ask(text))
        for text in PERSON[: size.persons]:
            await self._ask(text)
            self.found.called.append(any(isinstance(note, orders.Perform) for note in self._notes[-4:]))
        for turn in (await asyncio.to_thread(human_turns, self._progress))[: size.humans]:
            await self._hear_out(turn)
        for number in range(size.barge_ins):
            await self._barge_in(BARGE_INS[number % len(BARGE_INS)])
        for number in range(size.coughs):
            await self._cough(number)

    async def _ask(self, text: str) -> str:
        """One question. Returns everything that mien said to it."""
        before, heard = len(self._running.latencies.answers), len(self._notes)
        last_ns = await self._say(text)
        await self._until_answered(before, quiet=True)
        for answer in self._running.latencies.answers[before : before + 1]:
            self.found.stages.append(answer)
            self.found.latencies_ms.append((answer.heard_ns - last_ns) / NS_PER_MS)
        said = " ".join(
            note.text for note in self._notes[heard:] if isinstance(note, orders.Note) and note.who == "mien"
        )
        self._progress(f"{text} -> {said}")
        return said

    async def _hear_out(self, turn: Signal) -> None:
        """Something that a human speaker says, with pauses in it; what mien answers does not matter, only when."""
        before = len(self._running.latencies.answers)
        last_ns = await self._say_sound(turn)
        await self._until_answered(before)
        answers = self._running.latencies.answers[before:]
        self.found.human_in_time.append(all(answer.heard_ns >= last_ns for answer in answers))
        self.found.human_ms += [(answer.heard_ns - last_ns) / NS_PER_MS for answer in answers[-1:]]
        self._progress(f"human speech of {len(turn) / RATE_HZ:.1f} s -> {self.found.human_ms[-1:]} ms")

    async def _until_answered(self, before: int, *, quiet: bool = False) -> None:
        """Until more answers than before were heard and nothing is said or asked any more; PATIENCE_S at most.

        quiet: the customer has said everything, so whatever the kiosk takes for a customer from the answer on is its
        own echo.
        """
        agent = self._running
        answering: int | None = None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while len(agent.latencies.answers) == before or agent.busy:
                    if quiet and answering is None and len(agent.latencies.answers) > before:
                        answering = agent.user_began
                    await asyncio.sleep(0.05)
        if answering is not None:
            self.found.answers_heard_out += 1
            self.found.self_interruptions += agent.user_began - answering
        await asyncio.sleep(PAUSE_S)

    async def _barge_in(self, text: str) -> None:
        """A customer speaks into a long answer, and is answered."""
        heard = await self._until_answering()
        if heard is None:
            self.found.interrupted.append(False)
            return
        await self._ask(text)
        said = self._said(heard)
        self.found.interrupted.append(len(said) >= 2 and said[0].endswith("--") and not said[-1].endswith("--"))

    async def _cough(self, number: int) -> None:
        """A customer coughs or agrees into a long answer, which goes on to its end."""
        heard = await self._until_answering()
        if heard is None:
            self.found.resumed.append(False)
            return
        sound = cough(number) if number % 2 else speak(BACKCHANNELS[number // 2 % len(BACKCHANNELS)], VOICES[0])
        await self._say_sound(sound)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while self._running.busy:
                    await asyncio.sleep(0.05)
        await asyncio.sleep(PAUSE_S)
        said = self._said(heard)
        self.found.resumed.append(len(said) == 1 and not said[0].endswith("--"))
        self._progress(f"cough -> {said}")

    async def _until_answering(self) -> int | None:
        """Ask for a long answer, and wait until it is heard. Returns the number of notes before it; None without."""
        heard = len(self._notes)
        await self._say(LONG_QUESTION)
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self._running.speaking:
                    await asyncio.sleep(0.02)
        except TimeoutError:
            return None
        began = self._running.user_began
        await asyncio.sleep(INTO_ANSWER_S)
        self.found.self_interruptions += self._running.user_began - began
        return heard

    def _said(self, since: int) -> list[str]:
        """What mien has said, one text an answer."""
        return [note.text for note in self._notes[since:] if isinstance(note, orders.Note) and note.who == "mien"]

    async def _say(self, text: str) -> int:
        """Say it, in the next voice. Returns when the last sound reached the microphone."""
        voice = VOICES[self._count % len(VOICES)]
        self._count += 1
        return await self._say_sound(await self._spoken(text, voice))

    async def _spoken(self, text: str, voice: str) -> Signal:
        if voice != PIPER:
            return await asyncio.to_thread(speak, text, voice)
        pieces = [piece async for piece in self._speaking.speak(text, "en", 1.0)]
        pcm = np.frombuffer(b"".join(piece.pcm for piece in pieces), "<i2").astype(np.float64)
        return np.asarray(soxr.resample(pcm / np.abs(pcm).max(), pieces[0].rate_hz, RATE_HZ), np.float64)

    async def _say_sound(self, sound: Signal) -> int:
        begin_ns = time.monotonic_ns() + 100 * NS_PER_MS
        last_ns = self._scene.say(sound, begin_ns)
        await asyncio.sleep((last_ns - time.monotonic_ns()) / NS_PER_S)
        return last_ns

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        for _ in range(600):
            if condition():
                return
            await asyncio.sleep(0.1)
        raise MienError(f"within a minute it did not happen: {what}")

    @property
    def _running(self) -> Agent:
        assert self._agent is not None
        return self._agent


def cough(number: int) -> Signal:
    """A burst of noise as a cough makes: 150 to 300 ms, with a sharp attack."""
    random = np.random.default_rng(number)
    frames = round(random.uniform(0.15, 0.3) * RATE_HZ)
    noise = np.convolve(random.standard_normal(frames), np.ones(6) / 6, mode="same")
    envelope = np.exp(-np.arange(frames) / (0.07 * RATE_HZ))
    sound = noise * envelope
    return np.asarray(sound / np.abs(sound).max(), np.float64)


def _rows(found: Found, trace: FrameTrace) -> list[Row]:
    rows = [
        percentile_row("last word to first sound, median", found.latencies_ms, 50, bar=650.0),
        percentile_row("last word to first sound, p95", found.latencies_ms, 95, bar=900.0),
    ]
    for stage in STAGES[:-1]:
        values = [answer.stages_ms()[stage] for answer in found.stages]
        rows.append(percentile_row(f"of that: {stage}, median", values, 50))
    motions = [
        (moved - answer.heard_ns) / NS_PER_MS
        for answer in found.stages
        if (moved := first_motion_ns(trace, answer.sent_ns, answer.heard_ns + NS_PER_S)) is not None
    ]
    rows += [
        percentile_row("first sound to first motion, median", motions, 50, bar=MOTION_BAR_MS),
        _share("answered rightly", found.right, 85.0),
        _share("off topic, refused", found.refused, 90.0),
        _share("requests for a person, obeyed", found.called, None),
        _share("barge-ins answered", found.interrupted, 100.0),
        _share("coughs and mm-hms, resumed", found.resumed, None),
        Row(
            name="self-interruptions",
            value=found.self_interruptions,
            unit="",
            bar=0.0,
            samples=found.answers_heard_out,
            note=f"while an answer is heard to which nobody objects; {found.late_echo_ms:.0f} ms of echo came too late",
        ),
        Row(
            name="memory without the ear",
            value=round(found.memory_mb, 1),
            unit="MB",
            bar=MEMORY_BAR_MB,
            note="the ear shares the benchmark's process here; mien bench ear measures it",
        ),
        percentile_row("human speech: last word to first sound, median", found.human_ms, 50, bar=650.0),
        percentile_row("human speech: last word to first sound, p95", found.human_ms, 95, bar=900.0),
        _share("human speech: not answered before its end", found.human_in_time, None),
    ]
    return rows


def _share(name: str, results: list[bool], bar: float | None) -> Row:
    value = round(100 * sum(results) / len(results), 1) if results else None
    return Row(name=name, value=value, unit="%", bar=bar, at_most=False, samples=len(results))
