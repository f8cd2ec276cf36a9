"""The live streams and an agent's speech with the real voice: what a broker would be given, and what is heard."""

import asyncio
import time

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
from mien.fleet.topics import STREAMS, board
from mien.link.agent_speaker import AgentSpeaker
from mien.link.agent_speech import AgentSpeech
from mien.link.live import LiveStreams
from mien.link.live_task import LiveTask
from mien.transport.bus import FaceBus
from rigs.fake_ear import FakeEar
from rigs.services import running_voice
from rigs.voice_rig import RecordingSink, tone


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


def utc_ms(monotonic_ns):
    return (time.time_ns() - time.monotonic_ns() + monotonic_ns) // 10**6


class Link:
    """A client with its live streams; published: topic -> payloads."""

    def __init__(self, client):
        self.published = {}
        self.streams = LiveStreams(board("s", "b"), allowed=frozenset(STREAMS), utc_ms=utc_ms)
        self.client = client
        self.task = LiveTask(client, self.streams, self._publish, always=("state",))

    def _publish(self, topic, payload, qos, retain):
        assert (qos, retain) == (0, False)
        self.published.setdefault(topic.removeprefix("mien/1/s/b/live/"), []).append(payload)

    def watch(self, *streams):
        self.streams.watch("ada", Watch(streams=streams, for_s=20), may_listen=True, now_s=time.monotonic())
        self.task.wake()

    async def events(self):
        async for event in self.client.events():
            self.task.take(event)

    async def run(self, act):
        tasks = [asyncio.create_task(each) for each in (self.events(), self.task.run())]
        try:
            await act(self)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def linked(service, act, role="agent"):
    async def run():
        async with connect_async(service.endpoints[0], role=role) as client:
            await Link(client).run(act)

    asyncio.run(run())


def test_poses_and_speech_are_published_while_somebody_watches(service, face):
    live = service._engine.live

    async def act(link):
        await asyncio.sleep(0.2)
        assert link.published == {}
        link.watch("pose", "heard", "caption")
        await until(lambda: live._watch and live._hear)
        frames = encode_frames((PoseFrame(0, dict.fromkeys(range(CHANNELS), 9)),))
        face.report(bus.encode(bus.PoseBatch(epoch=1, seq=5, at_ns=time.monotonic_ns(), key=True, frames=frames)))
        async with connect_async(service.endpoints[0]) as speaker:
            turn = speaker.turn()
            await turn.caption("Good day")
            await turn.write(tone(300))
            await turn.wait()
            await until(lambda: len(link.published.get("caption", ())) >= 3 and "pose" in link.published)
            await until(lambda: decode_sound(link.published["heard"][-1]).last)
        link.watch()
        await until(lambda: not live._watch and not live._hear)
        sounds = [decode_sound(payload) for payload in link.published["heard"]]
        assert sounds[0].first
        decoder = OpusDecoder(16000)
        pcm = np.concatenate([decoder.decode(packet) for sound in sounds for packet in sound.packets])
        assert np.abs(pcm).max() == pytest.approx(8000, rel=0.3)
        assert abs(sounds[0].at_ms - time.time() * 1000) < 10_000
        assert decode_pose_batch(link.published["pose"][0]).seq == 5
        assert b'"final":true' in link.published["caption"][-1]

    linked(service, act)


def test_the_ear_is_heard_and_let_go(tmp_path, service):
    with FakeEar(tmp_path) as ear:
        ear.until(lambda: service._engine.ear.present)

        async def act(link):
            link.watch("ear")
            await asyncio.to_thread(ear.until, lambda: ear.orders.always)
            assert ear.orders.encodings == ("opus",)
            for _ in range(3):
                ear.block(b"\x48packet", speech=False, encoding="opus")
            await until(lambda: "ear" in link.published)
            assert decode_sound(link.published["ear"][0]).packets == (b"\x48packet",) * 3
            link.watch()
            await asyncio.to_thread(ear.until, lambda: not ear.orders.encodings)

        linked(service, act)


def test_an_ear_that_may_not_be_heard_costs_nothing_else(service):
    """An observer may not listen: what it may watch goes on."""

    async def act(link):
        link.watch("ear", "heard")
        await until(lambda: service._engine.live._hear)
        async with connect_async(service.endpoints[0]) as speaker:
            await speaker.say(tone(200))
        await until(lambda: "heard" in link.published)
        assert "ear" not in link.published

    linked(service, act, role="observer")


def test_an_agent_is_heard(tmp_path):
    sinks = []

    def opener(config, clock):
        sinks.append(RecordingSink(clock, config.rate_hz, config.rate_hz // 20))
        return sinks[-1]

    async def run(endpoint):
        speech = AgentSpeech()
        async with connect_async(endpoint, role="agent", encoding="opus", packets=True) as client:
            speaker = AgentSpeaker(client, speech)
            task = asyncio.create_task(speaker.run())
            await client.take_floor()
            speaker.take("ada", b"before the floor")
            speaker.floor("ada")
            packets = OpusEncoder(16000).encode_all(tone(600))
            for number in range(0, len(packets), 3):
                sound = Sound(number // 3, 1000 + number * 20, tuple(packets[number : number + 3]), number == 0, False)
                speaker.take("ada", encode_sound(sound))
                await asyncio.sleep(0.05)
            assert speaker.turn
            speaker.take("ada", encode_sound(Sound(number // 3 + 1, 1000 + number * 20 + 60, (), last=True)))
            finished = await _finished(client)
            await until(lambda: not speaker.turn)
            speaker.floor("")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return finished, speech.counts

    with running_voice(tmp_path, opener=opener) as service:
        finished, counts = asyncio.run(run(service.endpoints[0]))
    assert (finished.reason, counts.refused, counts.spoken) == ("played", 1, 31)
    assert finished.played_ms == 620
    assert np.abs(np.concatenate([sink.pcm for sink in sinks])).max() == pytest.approx(8000, rel=0.3)


async def _finished(client):
    async with asyncio.timeout(10):
        while not isinstance(event := await client.poll(), Finished):
            pass
    return event


def test_an_agent_who_is_interrupted_goes_on_with_the_next_stretch(service):
    async def run():
        speech = AgentSpeech()
        async with connect_async(service.endpoints[0], role="agent", encoding="opus", packets=True) as client:
            speaker = AgentSpeaker(client, speech)
            task = asyncio.create_task(speaker.run())
            await client.take_floor()
            speaker.floor("ada")
            packets = OpusEncoder(16000).encode_all(tone(200))
            said = []
            for stretch in range(2):
                for number, packet in enumerate(packets):
                    at_ms = 1000 + stretch * 5000 + number * 20
                    sound = Sound(stretch * 100 + number, at_ms, (packet,), number == 0, number == len(packets) - 1)
                    speaker.take("ada", encode_sound(sound))
                    if not stretch and number == 4:
                        await until(lambda: speaker.turn)
                        await client.interrupt()
                said.append(await _finished(client))
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return [finished.reason for finished in said]

    assert asyncio.run(run()) == ["interrupted", "played"]
