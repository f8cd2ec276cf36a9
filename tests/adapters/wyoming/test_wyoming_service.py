"""The services as Wyoming's own client drives them: `played` when it was heard, the ear's sound, texts as captions."""

import asyncio
import contextlib
import socket
import time
from typing import ClassVar

import numpy as np
import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.pipeline import RunPipeline
from wyoming.satellite import RunSatellite
from wyoming.server import AsyncEventHandler, AsyncServer
from wyoming.snd import Played
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped

import mien.adapters.wyoming as adapter
from mien.adapters.wyoming import Options, Service
from mien.adapters.wyoming.serve import is_loopback
from mien.adapters.wyoming.texts import KEPT_S, Texts
from mien.client import connect_async
from mien.core import wire
from rigs.fake_ear import FakeEar
from rigs.services import running_voice

PATIENCE_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tone(ms, rate_hz=22050, channels=1, width=2):
    wave = np.sin(np.arange(ms * rate_hz // 1000) * 0.05)
    full = {1: (wave * 100 + 128).astype("u1"), 2: (wave * 8000).astype("<i2"), 4: (wave * 5e8).astype("<i4")}[width]
    return np.repeat(full, channels).tobytes()


def run(coroutine):
    asyncio.run(asyncio.wait_for(coroutine, 60))


@pytest.fixture
def voice(tmp_path):
    with running_voice(tmp_path) as service:
        yield service


@contextlib.asynccontextmanager
async def serving(endpoint, **options):
    ports = {f"{name}_port": free_port() for name in ("snd", "mic", "satellite", "tts")}
    async with Service(Options(endpoint=endpoint, **ports, **options)) as service:
        yield service


@contextlib.asynccontextmanager
async def client(service, name):
    host, port = service.served[name].removeprefix("tcp://").split(":")
    async with AsyncTcpClient(host, int(port)) as connection:
        yield connection


async def read(connection, kind):
    """The next event of a kind, skipping others; None when the connection ended."""
    async with asyncio.timeout(PATIENCE_S):
        while (event := await connection.read_event()) is not None:
            if kind.is_type(event.type):
                return event
    return None


async def play(connection, pcm, rate_hz=22050, width=2, channels=1, chunk=4096):
    await connection.write_event(AudioStart(rate_hz, width, channels).event())
    for start in range(0, len(pcm), chunk):
        await connection.write_event(AudioChunk(rate_hz, width, channels, pcm[start : start + chunk]).event())
    await connection.write_event(AudioStop().event())


async def outcomes(endpoint, count):
    """How so many turns ended, as an observer sees it."""
    async with connect_async(endpoint, role="observer") as observer:
        await observer.subscribe("state")
        found = []
        async with asyncio.timeout(PATIENCE_S):
            while len(found) < count:
                if isinstance(event := await observer.poll(1), wire.Outcome):
                    found.append(event)
        return found


def test_played_comes_when_it_was_heard(voice):
    async def show():
        async with serving(voice.endpoints[-1]) as service, client(service, "snd") as snd:
            began_s = time.monotonic()
            await play(snd, tone(800))
            assert await read(snd, Played)
            assert time.monotonic() - began_s >= 0.8

    run(show())


@pytest.mark.parametrize(
    ("rate_hz", "width", "channels"), [(16000, 2, 1), (48000, 2, 2), (44100, 4, 1), (8000, 1, 1), (22050, 2, 1)]
)
def test_other_formats_are_heard_for_their_true_length(voice, rate_hz, width, channels):
    async def show():
        endpoint = voice.endpoints[-1]
        async with serving(endpoint) as service, client(service, "snd") as snd:
            seen = asyncio.create_task(outcomes(endpoint, 1))
            await asyncio.sleep(0.2)
            await play(snd, tone(500, rate_hz, channels, width), rate_hz, width, channels, chunk=1001)
            assert await read(snd, Played)
            (outcome,) = await seen
            assert outcome.played_ms == pytest.approx(500, abs=3)

    run(show())


def test_each_stop_is_answered_once_with_or_without_audio(voice):
    async def show():
        async with serving(voice.endpoints[-1]) as service, client(service, "snd") as snd:
            await snd.write_event(AudioStop().event())
            assert await read(snd, Played)
            await play(snd, b"")
            assert await read(snd, Played)
            await snd.write_event(AudioChunk(22050, 2, 1, tone(100)).event())
            await snd.write_event(AudioStop().event())
            assert await read(snd, Played)
            await snd.write_event(Ping(text="still there").event())
            event = await snd.read_event()
            assert Pong.is_type(event.type), "nothing else had come"

    run(show())


def test_two_streams_at_once_are_heard_one_after_the_other(voice):
    async def show():
        async with serving(voice.endpoints[-1]) as service, client(service, "snd") as a, client(service, "snd") as b:
            began_s = time.monotonic()
            await play(a, tone(400))
            await play(b, tone(400))
            assert await read(a, Played)
            assert await read(b, Played)
            assert time.monotonic() - began_s >= 0.8

    run(show())


@pytest.mark.parametrize("stopped", [True, False])
def test_a_client_that_leaves_is_heard_to_its_end(voice, stopped):
    async def show():
        endpoint = voice.endpoints[-1]
        async with serving(endpoint) as service:
            seen = asyncio.create_task(outcomes(endpoint, 1))
            await asyncio.sleep(0.2)
            async with client(service, "snd") as snd:
                await snd.write_event(AudioStart(22050, 2, 1).event())
                await snd.write_event(AudioChunk(22050, 2, 1, tone(600)).event())
                if stopped:
                    await snd.write_event(AudioStop().event())
            (outcome,) = await seen
            assert outcome.reason == "played"
            assert outcome.played_ms == pytest.approx(600, abs=1)

    run(show())


def test_speech_that_is_cut_on_the_kiosk_is_answered_at_once(voice):
    async def show():
        endpoint = voice.endpoints[-1]
        async with (
            serving(endpoint) as service,
            client(service, "snd") as snd,
            connect_async(endpoint, role="agent") as ada,
        ):
            began_s = time.monotonic()
            await play(snd, tone(9000))
            await asyncio.sleep(0.5)
            await ada.take_floor("drop")
            assert await read(snd, Played)
            assert time.monotonic() - began_s < 8

    run(show())


def test_a_lost_voice_does_not_hang_its_clients(tmp_path):
    async def show():
        first = running_voice(tmp_path)
        first.__enter__()
        async with serving(f"ipc://{tmp_path}/voice.sock") as service, client(service, "snd") as snd:
            await play(snd, tone(5000))
            await asyncio.sleep(0.3)
            await asyncio.to_thread(first.__exit__, None, None, None)
            assert await read(snd, Played)
            with running_voice(tmp_path):
                await play(snd, tone(200))
                assert await read(snd, Played)

    run(show())


@pytest.mark.parametrize(
    "event",
    [
        AudioChunk(22050, 2, 0, b"1234").event(),
        AudioChunk(0, 2, 1, b"1234").event(),
        AudioChunk(22050, 9, 1, b"1234").event(),
        Event("audio-chunk", {"rate": "much"}, b"1234"),
        Event("audio-chunk", {}, b"1234"),
    ],
)
def test_bad_audio_is_answered_with_an_error(voice, event):
    async def show():
        async with serving(voice.endpoints[-1]) as service:
            async with client(service, "snd") as snd:
                await snd.write_event(event)
                answer = await read(snd, Error)
                assert "audio-chunk" in Error.from_event(answer).text
                assert await read(snd, Error) is None, "the connection has ended"
            async with client(service, "snd") as snd:
                await play(snd, tone(100))
                assert await read(snd, Played), "others are served"

    run(show())


def test_bytes_that_are_not_wyoming_end_their_connection_only(voice):
    async def show():
        async with serving(voice.endpoints[-1]) as service:
            host, port = service.served["snd"].removeprefix("tcp://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
            writer.close()
            async with client(service, "snd") as snd:
                await play(snd, tone(100))
                assert await read(snd, Played)

    run(show())


def test_each_service_says_what_it_is(voice):
    async def show():
        async with serving(voice.endpoints[-1], name="kiosk") as service:
            infos = {}
            for name in ("snd", "mic", "satellite"):
                async with client(service, name) as connection:
                    await connection.write_event(Describe().event())
                    infos[name] = Info.from_event(await read(connection, Info))
            assert infos["snd"].snd[0].snd_format.rate == 22050
            assert infos["mic"].mic[0].mic_format.rate == 16000
            assert infos["satellite"].satellite.name == "kiosk"
            assert "tts" not in service.served

    run(show())


async def blocks(ear, until):
    """Let the ear hear something until a task is done."""
    async with asyncio.timeout(PATIENCE_S):
        while not until.done():
            ear.start()
            for _ in range(5):
                ear.block(b"\1\2" * 320)
            ear.stop()
            await asyncio.sleep(0.05)
    return until.result()


@pytest.fixture
def ear(tmp_path, voice):
    with FakeEar(tmp_path) as fake:
        fake.until(lambda: voice._engine.ear.present)
        yield fake


def test_the_microphone_sends_what_the_ear_hears_to_each_of_its_clients(voice, ear):
    async def show():
        async with serving(voice.endpoints[-1]) as service, client(service, "mic") as a, client(service, "mic") as b:
            for mic in (a, b):
                start = AudioStart.from_event(await read(mic, AudioStart))
                assert (start.rate, start.width, start.channels) == (16000, 2, 1)
                chunk = AudioChunk.from_event(await blocks(ear, asyncio.create_task(read(mic, AudioChunk))))
                assert (chunk.rate, chunk.audio) == (16000, b"\1\2" * 320)

    run(show())


def test_a_satellite_starts_a_pipeline_and_plays_its_answer(voice, ear):
    async def show():
        endpoint = voice.endpoints[-1]
        async with (
            serving(endpoint) as service,
            client(service, "satellite") as ha,
            connect_async(endpoint, role="observer") as observer,
        ):
            await observer.subscribe("captions")
            await ha.write_event(RunSatellite().event())
            run_ = RunPipeline.from_event(await blocks(ear, asyncio.create_task(read(ha, RunPipeline))))
            assert (run_.start_stage, run_.end_stage) == ("asr", "tts")
            assert await blocks(ear, asyncio.create_task(read(ha, AudioChunk)))
            await ha.write_event(Transcript(text="what time is it").event())
            assert await blocks(ear, asyncio.create_task(read(ha, AudioStop)))
            await ha.write_event(Synthesize(text="It is noon.").event())
            await play(ha, tone(300))
            assert await read(ha, Played)
            async with asyncio.timeout(PATIENCE_S):
                while not isinstance(said := await observer.poll(1), wire.Said):
                    pass
            assert said.text == "It is noon."

    run(show())


class FakeTts(AsyncEventHandler):
    """A TTS that speaks 100 ms a word."""

    requests: ClassVar = []

    async def handle_event(self, event):
        if Describe.is_type(event.type):
            await self.write_event(Event("info", {"tts": [PROGRAM]}))
        elif Synthesize.is_type(event.type):
            text = Synthesize.from_event(event).text
            self.requests.append(text)
            if text == "fail":
                return False
            await self.write_event(AudioStart(22050, 2, 1).event())
            for _ in text.split():
                await self.write_event(AudioChunk(22050, 2, 1, tone(100)).event())
            await self.write_event(AudioStop().event())
        return True


PROGRAM = {
    "name": "fake",
    "attribution": {"name": "", "url": ""},
    "installed": True,
    "description": None,
    "version": None,
    "voices": [],
}


@contextlib.asynccontextmanager
async def proxied(endpoint):
    FakeTts.requests.clear()
    uri = f"tcp://127.0.0.1:{free_port()}"
    server = AsyncServer.from_uri(uri)
    await server.start(FakeTts)
    try:
        async with serving(endpoint, tts_uri=uri) as service:
            yield service
    finally:
        await server.stop()


def test_its_text_guides_the_lips(voice, guided):
    async def show():
        async with proxied(voice.endpoints[-1]) as service:
            async with client(service, "tts") as tts:
                await tts.write_event(Synthesize(text="good day to you.").event())
                assert await read(tts, AudioStop)
            async with client(service, "snd") as snd:
                await play(snd, tone(500))
                assert await read(snd, Played)

    run(show())
    assert [word.phones for word in guided] == ["good", "day", "to", "you."]


def test_the_proxy_passes_speech_on_and_its_text_becomes_the_caption(voice):
    async def show():
        endpoint = voice.endpoints[-1]
        async with proxied(endpoint) as service, connect_async(endpoint, role="observer") as observer:
            await observer.subscribe("captions")
            audio = b""
            async with client(service, "tts") as tts:
                await tts.write_event(Describe().event())
                (program,) = Info.from_event(await read(tts, Info)).tts
                assert (program.name, program.supports_synthesize_streaming) == ("fake", True)
                await tts.write_event(Synthesize(text="good morning").event())
                while not AudioStop.is_type((event := await tts.read_event()).type):
                    audio += event.payload or b""
            assert len(audio) == 2 * len(tone(100))
            async with client(service, "snd") as snd:
                await play(snd, audio)
                assert await read(snd, Played)
            async with asyncio.timeout(PATIENCE_S):
                while not isinstance(said := await observer.poll(1), wire.Said):
                    pass
            assert said.text == "good morning"

    run(show())


def test_a_streamed_request_reaches_a_tts_that_cannot_stream(voice):
    async def show():
        async with proxied(voice.endpoints[-1]) as service, client(service, "tts") as tts:
            await tts.write_event(SynthesizeStart().event())
            await tts.write_event(SynthesizeChunk(text="good ").event())
            await tts.write_event(SynthesizeChunk(text="evening").event())
            await tts.write_event(Synthesize(text="good evening").event())
            await tts.write_event(SynthesizeStop().event())
            assert await read(tts, AudioStop)
            assert await read(tts, SynthesizeStopped)
            assert FakeTts.requests == ["good evening"]

    run(show())


def test_a_tts_that_fails_is_reported(voice):
    async def show():
        async with proxied(voice.endpoints[-1]) as service, client(service, "tts") as tts:
            await tts.write_event(Synthesize(text="fail").event())
            assert "closed the connection" in Error.from_event(await read(tts, Error)).text
        async with (
            serving(voice.endpoints[-1], tts_uri=f"tcp://127.0.0.1:{free_port()}") as service,
            client(service, "tts") as tts,
        ):
            await tts.write_event(Synthesize(text="hello").event())
            assert "the TTS at" in Error.from_event(await read(tts, Error)).text

    run(show())


def test_a_port_that_is_taken_is_an_error(voice):
    async def show():
        async with serving(voice.endpoints[-1]) as service:
            port = int(service.served["snd"].rsplit(":", 1)[1])
            with pytest.raises(OSError):
                async with Service(Options(endpoint=voice.endpoints[-1], snd_port=port)):
                    pass

    run(show())


def test_texts_are_taken_in_order_and_forgotten_in_time():
    now = 0.0
    texts = Texts(lambda: now)
    texts.add("one")
    texts.add("  ")
    texts.add("two")
    assert (texts.take(), texts.take(), texts.take()) == ("one", "two", "")
    texts.add("old")
    now = KEPT_S + 1
    texts.add("new")
    assert texts.take() == "new"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("kiosk", False)],
)
def test_only_loopback_needs_no_warning(host, loopback):
    assert is_loopback(host) == loopback


@pytest.mark.parametrize("version", ["1.5.0", "2.0.0", "x"])
def test_an_unsupported_version_says_which_are_supported(version):
    with pytest.raises(ImportError, match=r"supported are 1\.10 and later, below 2"):
        adapter.check_version(version)
    adapter.check_version("1.12.0")
    with pytest.raises(ImportError, match=r"mien\[wyoming\]"):
        adapter.check_version(None)
