"""The live streams and an agent's speech with the real voice: what a broker would be given, and what is heard."""

import asyncio
import time
from types import SimpleNamespace

import numpy as np
import pytest
import zmq

from mien.audio.opus import OpusDecoder, OpusEncoder
from mien.client import Finished, connect_async
from mien.core import bus
from mien.core.pose_frames import CHANNELS, PoseFrame, encode_frames
from mien.core.stats import Counters
from mien.fleet.command import Watch
from mien.fleet.packets import Sound, decode_pose_batch, decode_sound, encode_sound
from mien.link.config import AllowConfig
from mien.link.streams import Streams, StreamsSeams
from mien.transport.bus import FaceBus
from mien.voice import admission
from rigs.fake_ear import FakeEar
from rigs.services import running_voice
from rigs.voice_rig import RecordingSink, tone

ALLOW_ALL = AllowConfig(captions=True, ear=True)


@pytest.fixture
def service(tmp_path):
    with running_voice(tmp_path) as voice:
        yield voice


@pytest.fixture
def face(tmp_path, service):  # noqa: ARG001 (it must run)
    context = zmq.Context()
    face = FaceBus(context, tmp_path, Counters())
    yield face
    face.close()
    context.term()


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


class Link:
    """A client with its streams, as mien-link joins them; published: topic -> payloads."""

    def __init__(self, client, allow=ALLOW_ALL):
        self.published, self.told = {}, []
        self.client = client
        self.floor = SimpleNamespace(holder="", turn="")
        self.attendance = SimpleNamespace(hearing=())
        self.streams = Streams(
            allow,
            StreamsSeams(
                client=lambda: client if client.connected else None,
                publish=lambda topic, payload: self.published.setdefault(topic, []).append(payload),
                may_listen=lambda user: user == "ada",
                floor=self.floor,
                attendance=self.attendance,
                always=lambda: ("state",),
                told=lambda *users: self.told.append(users),
            ),
        )

    def watch(self, *streams, user="ada"):
        self.streams.watch(user, Watch(streams=streams, for_s=20), time.monotonic_ns())

    def say(self, user, payload):
        self.streams.speech(user, payload, time.monotonic_ns())

    async def finished(self):
        """The next `finished` that the voice tells."""
        self.ended = None
        await until(lambda: self.ended is not None)
        return self.ended

    async def run(self, act):
        tasks = [asyncio.create_task(each) for each in (self._hear(), self._step())]
        try:
            await act(self)
            assert not any(task.done() for task in tasks)
        finally:
            await self.streams.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self):
        async for event in self.client.events():
            self.streams.hear(event)
            if isinstance(event, Finished):
                self.ended = event

    async def _step(self):
        while True:
            self.streams.step(time.monotonic_ns())
            await asyncio.sleep(0.1)


def linked(endpoint, act, role="agent", allow=ALLOW_ALL):
    async def run():
        async with connect_async(endpoint, role=role, encoding="opus", packets=True) as client:
            await Link(client, allow).run(act)

    asyncio.run(run())


def test_poses_and_speech_are_published_while_somebody_watches(service, face):
    live = service._engine.live

    async def act(link):
        await asyncio.sleep(0.2)
        assert link.published == {}
        link.watch("pose", "heard", "caption")
        await until(lambda: live._watch and live._hear)
        frames = encode_frames((PoseFrame(0, dict.fromkeys(range(CHANNELS), 9)),))
        batch = bus.encode(bus.PoseBatch(epoch=1, seq=5, at_ns=time.monotonic_ns(), key=True, frames=frames))
        await until(lambda: face.report(batch) or "live/pose" in link.published)  # its socket takes a moment
        async with connect_async(service.endpoints[0]) as speaker:
            turn = speaker.turn()
            await turn.caption("Good day")
            await turn.write(tone(800))
            await turn.wait()
            await until(lambda: len(link.published.get("live/caption", ())) >= 3)
            await until(lambda: decode_sound(link.published["live/heard"][-1]).last)
        link.watch()
        await until(lambda: not live._watch and not live._hear)
        sounds = [decode_sound(payload) for payload in link.published["live/heard"]]
        assert sounds[0].first
        decoder = OpusDecoder(16000)
        pcm = np.concatenate([decoder.decode(packet) for sound in sounds for packet in sound.packets])
        assert np.abs(pcm).max() == pytest.approx(8000, rel=0.3)
        assert abs(sounds[0].at_ms - time.time() * 1000) < 10_000
        assert decode_pose_batch(link.published["live/pose"][0]).seq == 5
        assert b'"final":true' in link.published["live/caption"][-1]

    linked(service.endpoints[0], act)


def test_the_ear_is_heard_and_let_go(tmp_path, service):
    with FakeEar(tmp_path) as ear:
        ear.until(lambda: service._engine.ear.present)

        async def act(link):
            link.watch("ear", user="bob")
            link.watch("heard", user="bob")
            link.watch("ear")
            assert link.attendance.hearing == ("ada",)
            await asyncio.to_thread(ear.until, lambda: ear.orders.always)
            assert ear.orders.encodings == ("opus",)
            for _ in range(3):
                ear.block(b"\x48packet", speech=False, encoding="opus")
            await until(lambda: "live/ear" in link.published)
            assert decode_sound(link.published["live/ear"][0]).packets == (b"\x48packet",) * 3
            link.watch()
            await asyncio.to_thread(ear.until, lambda: not ear.orders.encodings)
            assert link.told == [(("bob",), ()), (("ada", "bob"), ("ada",)), (("bob",), ())]
            assert link.attendance.hearing == ()

        linked(service.endpoints[0], act)


def test_an_ear_that_may_not_be_heard_costs_nothing_else(service):
    """An observer may not listen: what it may watch goes on."""

    async def act(link):
        link.watch("ear", "heard")
        await until(lambda: service._engine.live._hear)
        async with connect_async(service.endpoints[0]) as speaker:
            await speaker.say(tone(200))
        await until(lambda: "live/heard" in link.published)
        assert "live/ear" not in link.published

    linked(service.endpoints[0], act, role="observer")


@pytest.mark.parametrize("lacks", ["libopus0", "the topic"])
def test_a_voice_that_cannot_stream_all_streams_the_rest(monkeypatch, tmp_path, caplog, lacks):
    if lacks == "libopus0":
        monkeypatch.setattr("mien.voice.admission.spoken_encodings", lambda: ("s16le",))
    else:
        without = tuple(each for each in admission.CAPABILITIES if each != "heard")
        monkeypatch.setattr(admission, "CAPABILITIES", without)

    async def act(link):
        link.watch("pose", "heard", "caption")
        await until(lambda: service._engine.live._watch)
        assert not service._engine.live._hear
        async with connect_async(service.endpoints[0]) as speaker:
            await speaker.caption("t", "Good day")
            await until(lambda: "live/caption" in link.published)

    with running_voice(tmp_path) as service:
        linked(service.endpoints[0], act)
    assert "this voice cannot stream heard" in caplog.text


def test_what_link_toml_does_not_allow_is_not_streamed(service):
    async def act(link):
        link.watch("heard", "caption", "ear", "pose")
        await asyncio.sleep(0.3)
        assert not service._engine.live._hear
        assert link.attendance.hearing == ()

    linked(service.endpoints[0], act, allow=AllowConfig(watch=False))


def test_an_agent_is_heard_and_only_with_the_floor(tmp_path):
    sinks = []

    def opener(config, clock):
        sinks.append(RecordingSink(clock, config.rate_hz, config.rate_hz // 20))
        return sinks[-1]

    async def act(link):
        packets = OpusEncoder(16000).encode_all(tone(600))
        link.say("ada", encode_sound(Sound(0, 1000, tuple(packets[:3]), first=True)))
        await link.client.take_floor()
        link.floor.holder = "ada"
        for number in range(0, len(packets), 3):
            sound = Sound(number // 3, 1000 + number * 20, tuple(packets[number : number + 3]), number == 0, False)
            link.say("ada", encode_sound(sound))
            link.say("eve", encode_sound(sound))
            await asyncio.sleep(0.05)
        assert link.floor.turn
        link.say("ada", encode_sound(Sound(number // 3 + 1, 1000 + number * 20 + 60, (), last=True)))
        finished = await link.finished()
        counts = link.streams.said.counts
        assert (finished.reason, finished.played_ms) == ("played", 620)
        assert (counts.spoken, counts.refused) == (31, 12)
        await until(lambda: not link.floor.turn)

    with running_voice(tmp_path, opener=opener) as service:
        linked(service.endpoints[0], act)
    assert np.abs(np.concatenate([sink.pcm for sink in sinks])).max() == pytest.approx(8000, rel=0.3)


def stretch_of(packets, number):
    """Messages of one packet; the stretches of an agent follow each other."""
    return [
        encode_sound(
            Sound(number * 100 + at, 1000 + number * 5000 + at * 20, (packet,), at == 0, at == len(packets) - 1)
        )
        for at, packet in enumerate(packets)
    ]


def test_an_agent_who_is_interrupted_goes_on_with_the_next_stretch(service):
    async def act(link):
        await link.client.take_floor()
        link.floor.holder = "ada"
        packets = OpusEncoder(16000).encode_all(tone(200))
        for number, reason in ((0, "interrupted"), (1, "played")):
            messages = stretch_of(packets, number)
            for message in messages[:5]:
                link.say("ada", message)
            await until(lambda: link.floor.turn)
            if not number:
                await link.client.interrupt()
            finished = asyncio.create_task(link.finished())
            await asyncio.sleep(0)
            for message in messages[5:]:
                link.say("ada", message)
            if number:
                assert (await finished).reason == reason
            else:
                finished.cancel()

    linked(service.endpoints[0], act)


def test_who_loses_the_floor_is_silent_at_once(service):
    async def act(link):
        await link.client.take_floor()
        link.floor.holder = "ada"
        for message in stretch_of(OpusEncoder(16000).encode_all(tone(2000)), 0)[:90]:
            link.say("ada", message)
        await until(lambda: link.floor.turn)
        finished = asyncio.create_task(link.finished())
        await asyncio.sleep(0.2)
        link.floor.holder = ""
        assert (await finished).reason == "interrupted"

    linked(service.endpoints[0], act)
