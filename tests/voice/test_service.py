"""mien-voice over real sockets."""

import time

import zmq

from mien.core import bus, wire
from mien.errors import SinkError
from mien.transport import REPORT_SOCKET
from mien.transport.bus import subscribe
from mien.voice.sinks import open_silence
from rigs.services import PATIENCE_S, RawClient, running_voice
from rigs.voice_rig import tone


def speak(client, turn="t", ms=200, *, end=True, name="client"):
    client.send(wire.Hello(protocol=1, client=name))
    client.receive(wire.Welcome)
    client.send(wire.Audio(turn=turn, seq=0), tone(ms).tobytes())
    if end:
        client.send(wire.End(turn=turn))


def wait_for(socket, kind):
    for _ in range(10_000):
        assert socket.poll(PATIENCE_S * 1000), f"no {kind.__name__} on the bus"
        message = bus.decode_from_voice(socket.recv_multipart()[0])
        if isinstance(message, kind):
            return message
    raise AssertionError


def test_a_turn_over_tcp_and_ipc(tmp_path):
    with running_voice(tmp_path) as voice:
        for endpoint in voice.endpoints:
            with RawClient(endpoint) as client:
                speak(client)
                assert client.receive(wire.Started).latency_ms > 0
                assert client.receive(wire.Finished).played_ms == 200.0


def test_the_bus_carries_anchor_speech_and_end(tmp_path):
    with running_voice(tmp_path) as voice, zmq.Context() as context, subscribe(context, tmp_path) as watcher:
        wait_for(watcher, bus.Anchor)
        with RawClient(voice.endpoints[0]) as client:
            speak(client)
            assert wait_for(watcher, bus.Speech).offset == 0
            assert wait_for(watcher, bus.TurnEnd).frames == 3200
        assert wait_for(watcher, bus.VoiceHealth).level == "audio_only"


def test_a_client_that_dies_in_mid_turn_gives_the_floor_back(tmp_path):
    with running_voice(tmp_path) as voice:
        with RawClient(voice.endpoints[-1]) as first:
            speak(first, end=False)
            first.receive(wire.Started)
        with RawClient(voice.endpoints[0]) as second:
            speak(second, "early", end=False, name="another")
            while isinstance(answer := second.receive(wire.Error, wire.Started), wire.Error):
                assert answer.code == "floor_taken"
                second.send(wire.Audio(turn="early", seq=0), tone(100).tobytes())
            second.send(wire.End(turn="early"))
            assert second.receive(wire.Finished).turn == "early"
        assert voice.counters["turns_client_gone"] == 1


def test_a_flood_of_malformed_reports_is_a_few_lines_in_the_log(tmp_path, caplog):
    with running_voice(tmp_path) as voice, zmq.Context() as context:
        face = context.socket(zmq.PUSH)
        face.setsockopt(zmq.LINGER, 0)
        face.connect(f"ipc://{tmp_path}/{REPORT_SOCKET}")
        for _ in range(3000):
            face.send(b"\xff")
        with RawClient(voice.endpoints[0]) as client:
            speak(client)
            assert client.receive(wire.Finished).played_ms == 200.0
        while voice.counters["bus_refused"] < 3000:
            time.sleep(0.01)
        face.close()
    lines = [record for record in caplog.records if "the bus has version" in record.message]
    assert 5 <= len(lines) <= 20


def test_stopping_finishes_every_turn(tmp_path):
    with RawClient(f"ipc://{tmp_path}/voice.sock") as client:
        with running_voice(tmp_path) as voice:
            assert voice.endpoints
            speak(client, ms=2000)
            client.receive(wire.Started)
        finished = client.receive(wire.Finished)
    assert (finished.reason, finished.interrupted) == ("shutdown", True)


def test_without_a_sound_card_time_goes_on_and_the_card_is_taken_back(tmp_path):
    attempts = []

    def opener(config, clock):
        attempts.append(clock.now_ns())
        if len(attempts) < 3:
            raise SinkError("no card")
        return open_silence(config, clock)

    with running_voice(tmp_path, opener=opener) as voice, RawClient(voice.endpoints[0]) as client:
        speak(client)
        assert client.receive(wire.Finished).reason == "sink_lost"
        moved = client.receive(wire.LevelChanged)
        assert (moved.old, moved.new) == ("silent", "audio_only")
        speak(client, "heard")
        assert client.receive(wire.Finished).played_ms == 200.0
