"""The loop around the engine, over real sockets, in a thread of the test."""

import contextlib
import threading

import numpy as np
import pytest

from mien.config import Config, EarConfig
from mien.ear.service import EarService
from mien.errors import BusError
from mien.host.clock import MonotonicClock
from rigs.ear_rig import MadePipeline
from rigs.voice_end import PATIENCE_S, VoiceEnd


@contextlib.contextmanager
def running(run_dir, pipeline=None, **ear):
    service = EarService(
        Config(ear=EarConfig(**{"source": "null", **ear})),
        run_dir,
        MonotonicClock(),
        pipeline=pipeline or MadePipeline(),
    )
    thread = threading.Thread(target=service.run, name="ear")
    thread.start()
    try:
        yield service
    finally:
        service.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_the_voice_s_far_end_reaches_the_pipeline_in_order(tmp_path):
    pipeline = MadePipeline()
    with VoiceEnd(tmp_path) as voice, running(tmp_path, pipeline):
        voice.until(lambda: voice.health, "health")
        voice.until(lambda: voice.play(None, 1) or pipeline.far, "the subscription")
        pipeline.far.clear()
        for index in range(50):
            voice.play(np.full(320, index, np.int16), at_ns=index, offset=index * 320)
        voice.until(lambda: len([1 for _, pcm in pipeline.far if pcm is not None]) == 50, "the far end")
    heard = [(message.at_ns, int(pcm[0])) for message, pcm in pipeline.far if pcm is not None]
    assert heard == [(index, index) for index in range(50)]


def test_rubbish_on_the_bus_is_counted_and_harms_nothing(tmp_path):
    with VoiceEnd(tmp_path) as voice, running(tmp_path):
        voice.order("s16le", always=True)
        voice.until(lambda: voice.sound().size, "sound")
        for rubbish in (b"", b"\x01", b"\x63abc", bytes(5000)):
            voice._publisher.send(rubbish)
        voice.until(lambda: voice.health.counters.get("bus_refused") == 4, "four refusals")
        size = voice.sound().size
        voice.until(lambda: voice.sound().size > size, "more sound")


def test_a_flood_does_not_keep_it_from_the_microphone(tmp_path):
    pipeline = MadePipeline()
    with VoiceEnd(tmp_path) as voice, running(tmp_path, pipeline):
        voice.until(lambda: voice.health, "health")
        before = len(pipeline.near_ns)
        for _ in range(20_000):
            voice.play(None, 1)
        voice.until(lambda: len(pipeline.near_ns) > before + 20, "blocks of the microphone")


def test_a_run_dir_that_cannot_be_used_leaves_nothing_open(tmp_path):
    with pytest.raises(BusError, match=r"meter\.sock: cannot be bound"):
        EarService(Config(ear=EarConfig(source="null")), tmp_path / "absent", MonotonicClock(), pipeline=MadePipeline())


def test_what_the_engine_refuses_closes_the_bus(tmp_path, monkeypatch):
    def refuse(_):
        raise BusError("no pipeline")

    monkeypatch.setattr("mien.ear.engine.Pipeline", refuse)
    for _ in range(2):  # the second time it would meet the first one's socket
        with pytest.raises(BusError, match="no pipeline"):
            EarService(Config(ear=EarConfig(source="null")), tmp_path, MonotonicClock())
        assert not (tmp_path / "meter.sock").exists()
