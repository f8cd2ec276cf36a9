"""The synchronous client over real sockets."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from mien.client import Disconnected, Finished, connect
from mien.core import wire
from mien.errors import ClientError, ConfigError
from rigs.voice_server import served_voice
from rigs.wav_bytes import make_wav

MS = 32
PATIENCE_S = 20


def in_thread(function, *arguments):
    """Run a function in a thread. Returns a function that waits for its result, or raises its exception."""
    outcome = []

    def run():
        try:
            outcome.append(function(*arguments))
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def result():
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "it hangs"
        return outcome[0]

    return result


def eventually(condition):
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never came about"
        time.sleep(0.005)


def fail_in(turn):
    with turn:
        turn.write(bytes(1000 * MS))
        raise RuntimeError("tts")


class TestSpeaking:
    def test_a_turn_from_the_first_chunk_to_what_was_heard(self, voice):
        speech = np.arange(4000, dtype=np.int16)
        with connect(voice.endpoint) as agent:
            turn = agent.turn("hello")
            assert turn.name == "hello"
            turn.write(speech[:1000])
            turn.write(speech[1000:].tobytes())
            finished = turn.wait()
        assert finished == Finished(turn="hello", played_ms=250.0, interrupted=False, reason="played")
        assert bytes(voice.double.audio["hello"]) == speech.tobytes()
        assert turn.finished == finished
        assert turn.over

    def test_more_than_the_voice_holds_waits_for_room(self, voice):
        speech = bytes(range(256)) * 250  # two seconds; the double holds one
        with connect(voice.endpoint) as agent:
            assert agent.say(speech, name="long").played_ms == 2000
        assert bytes(voice.double.audio["long"]) == speech

    def test_events_are_taken_in_while_write_waits(self, voice):
        voice.playing = False
        with connect(voice.endpoint) as agent:
            turn = agent.turn()
            result = in_thread(turn.write, bytes(1500 * MS))
            eventually(lambda: agent.credit_ms == 0)
            voice.playing = True
            assert result() is None
            assert turn.wait().played_ms == 1500

    def test_bytes_may_be_cut_in_the_middle_of_a_sample(self, voice):
        speech = bytes(range(200))
        with connect(voice.endpoint) as agent:
            agent.say([speech[:33], speech[33:34], speech[34:]], name="t")
        assert bytes(voice.double.audio["t"]) == speech

    def test_half_a_sample_at_the_end_is_told(self, voice):
        with connect(voice.endpoint) as agent, pytest.raises(ClientError) as caught:
            agent.say(bytes(33))
        assert caught.value.code == "odd_bytes"

    @pytest.mark.parametrize("speech", [np.zeros(4, np.float32), np.zeros((4, 2), np.int16), np.zeros(4, ">i2"), "hi"])
    def test_what_is_not_mono_s16_is_refused(self, voice, speech):
        with connect(voice.endpoint) as agent, pytest.raises(TypeError):
            agent.turn().write(speech)

    def test_strided_arrays_are_taken(self, voice):
        stereo = np.arange(64, dtype=np.int16).reshape(-1, 2)
        with connect(voice.endpoint) as agent:
            agent.say(stereo[:, 0], name="t")
        assert bytes(voice.double.audio["t"]) == stereo[:, 0].tobytes()

    def test_a_turn_in_with_is_ended_or_interrupted(self, voice):
        with connect(voice.endpoint) as agent:
            with agent.turn("good") as turn:
                turn.write(bytes(320))
            assert turn.wait().reason == "played"
            turn = agent.turn("bad")
            with pytest.raises(RuntimeError, match="tts"):
                fail_in(turn)
            assert turn.wait().interrupted

    def test_a_source_that_fails_interrupts_its_turn(self, voice):
        def chunks():
            yield bytes(900 * MS)
            raise RuntimeError("tts")

        with connect(voice.endpoint) as agent:
            with pytest.raises(RuntimeError, match="tts"):
                agent.say(chunks(), name="t")
            eventually(lambda: "t" in voice.double.done)
        assert voice.double.done["t"].interrupted

    def test_a_turn_that_the_voice_refuses_raises(self, voice):
        with connect(voice.endpoint) as agent:
            agent.say(bytes(64), name="same")
            with pytest.raises(ClientError) as caught:
                agent.say(bytes(64), name="same")
        assert caught.value.code == "turn_closed"


class TestWav:
    def test_bytes_files_and_paths(self, voice, tmp_path):
        pcm = np.arange(1600, dtype=np.int16).tobytes()
        path = tmp_path / "hello.wav"
        path.write_bytes(make_wav(pcm))
        with connect(voice.endpoint) as agent, path.open("rb") as file:
            for number, source in enumerate((path, str(path), make_wav(pcm), file)):
                assert agent.say_wav(source, name=f"t{number}").played_ms == 100
                assert bytes(voice.double.audio[f"t{number}"]) == pcm

    def test_another_rate_and_stereo_are_converted(self, voice):
        tone = (8000 * np.sin(np.arange(22050) * 2 * np.pi * 200 / 22050)).astype(np.int16)
        wav = make_wav(np.repeat(tone, 2).tobytes(), rate_hz=22050, channels=2)
        with connect(voice.endpoint) as agent:
            assert agent.say_wav(wav, name="t").played_ms == pytest.approx(1000, abs=1)
        heard = np.frombuffer(bytes(voice.double.audio["t"]), np.int16).astype(float)
        assert np.abs(np.fft.rfft(heard[:16000])).argmax() == 200
        assert np.abs(heard).max() == pytest.approx(8000, rel=0.02)

    def test_a_pipe_is_spoken_as_it_fills(self, voice):
        code = (
            "import sys, time; out = sys.stdout.buffer; out.write(open(sys.argv[1], 'rb').read()); out.flush();"
            "sys.stdin.read(); out.write(bytes(3200))"
        )
        header = make_wav(bytes(3200))
        header = header[:40] + b"\xff\xff\xff\xff" + header[44:]
        with (
            subprocess.Popen(
                [sys.executable, "-c", code, "/dev/stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            ) as process,
            connect(voice.endpoint) as agent,
        ):
            process.stdin.write(header)
            process.stdin.close()
            assert agent.say_wav(process.stdout).played_ms == 200

    def test_no_wav(self, voice):
        with connect(voice.endpoint) as agent, pytest.raises(ClientError) as caught:
            agent.say_wav(b"ID3 this is an mp3")
        assert caught.value.code == "bad_wav"


class TestInterrupting:
    def test_from_another_thread_while_wait_waits(self, voice):
        with connect(voice.endpoint) as agent:
            turn = agent.turn()
            turn.write(bytes(1000 * MS))
            result = in_thread(turn.wait)
            eventually(lambda: turn.played_ms >= 50)
            (finished,) = agent.interrupt()
            assert finished.interrupted
            assert 50 <= finished.played_ms < 1000
            assert result() == finished

    def test_from_another_thread_while_write_waits(self, voice):
        voice.playing = False
        with connect(voice.endpoint) as agent:
            turn = agent.turn()
            result = in_thread(turn.write, bytes(2000 * MS))
            eventually(lambda: agent.credit_ms == 0)
            assert turn.interrupt().interrupted
            assert result().code == "turn_closed"

    def test_say_returns_what_was_heard_and_draws_no_more(self, voice):
        drawn = []

        def endless():
            while True:
                drawn.append(None)
                yield bytes(100 * MS)

        with connect(voice.endpoint) as agent:
            result = in_thread(agent.say, endless())
            eventually(lambda: len(drawn) > 10)
            agent.interrupt()
            assert result().interrupted
            count = len(drawn)
            assert agent.say(bytes(64)).reason == "played"
            assert len(drawn) == count

    def test_nothing_to_interrupt(self, voice):
        with connect(voice.endpoint) as agent:
            assert agent.interrupt() == ()
            assert agent.turn().interrupt().played_ms == 0


class TestMessages:
    def test_every_message_is_sent_as_called(self, voice):
        with connect(voice.endpoint, rate_hz=16000, name="test") as agent:
            agent.state("listening")
            agent.emotion("happy", 0.5)
            agent.gesture("nod")
            agent.look_at(0.5, -0.25)
            agent.look_at()
            agent.volume(0.8, fade_ms=100)
            agent.pause()
            agent.resume()
            agent.turn("t").caption("hi there", [("hi", 0, 300), ("there", 300, 700)])
            agent.send(wire.Gesture(name="wink"))
            assert agent.ping() >= 0
        said = [message for message in voice.double.received if not isinstance(message, wire.Ping)]
        assert said == [
            wire.Hello(protocol=1, client="test", rate_hz=16000),
            wire.State(state="listening"),
            wire.Emotion(name="happy", intensity=0.5),
            wire.Gesture(name="nod"),
            wire.LookAt(x=0.5, y=-0.25),
            wire.LookAt(),
            wire.Volume(gain=0.8, fade_ms=100),
            wire.Pause(),
            wire.Resume(),
            wire.Caption(turn="t", text="hi there", words=(wire.Word("hi", 0, 300), wire.Word("there", 300, 700))),
            wire.Gesture(name="wink"),
        ]

    def test_events_come_in_order_and_end_with_the_client(self, voice):
        with connect(voice.endpoint) as agent:
            agent.say(bytes(100 * MS), name="t")
            kinds = []
            while (event := agent.poll(timeout_s=0)) is not None:
                kinds.append(event.__struct_config__.tag)
            result = in_thread(lambda: list(agent.events()))
        assert (kinds[0], kinds[-1]) == ("welcome", "finished")
        assert "progress" in kinds
        assert result() == []

    def test_poll_gives_none_when_nothing_comes(self, voice):
        with connect(voice.endpoint) as agent:
            while agent.poll(timeout_s=0):
                pass
            assert agent.poll(timeout_s=0.01) is None


class TestOutOfReach:
    def test_no_socket(self, endpoint):
        with pytest.raises(ClientError, match=r"mien run") as caught:
            connect(endpoint, timeout_s=0.2)
        assert (caught.value.code, caught.value.retryable) == ("unreachable", True)
        assert endpoint in str(caught.value)

    def test_a_socket_that_nobody_serves(self, voice):
        voice.mute = True
        with pytest.raises(ClientError, match="the socket exists"):
            connect(voice.endpoint, timeout_s=0.2)

    def test_no_service_on_the_network(self):
        with pytest.raises(ClientError, match=r"voice\.listen"):
            connect("tcp://127.0.0.1:9", timeout_s=0.2)

    @pytest.mark.parametrize("endpoint", ["nonsense", "tcp://nowhere", "http://x:1", "ipc:///" + "x" * 200])
    def test_an_endpoint_that_is_none(self, endpoint):
        with pytest.raises(ConfigError, match="tcp://HOST:PORT"):
            connect(endpoint)

    def test_a_refused_hello_is_raised(self, voice):
        voice.refuse_with = wire.Error(code="unsupported_rate", message="rate_hz 17 is not one of 8000")
        with pytest.raises(ClientError, match="17") as caught:
            connect(voice.endpoint, rate_hz=17)
        assert caught.value.code == "unsupported_rate"

    def test_a_voice_that_stops_fails_its_turns_and_comes_back(self, endpoint):
        with served_voice(endpoint) as first:
            first.playing = False
            agent = connect(endpoint)
            turn = agent.turn()
            waiting = in_thread(turn.wait)
            writing = in_thread(agent.say, bytes(3000 * MS))
            eventually(lambda: agent.credit_ms == 0)
        with agent:
            for outcome in (waiting(), writing()):
                assert (outcome.code, outcome.retryable) == ("unreachable", True)
            with served_voice(endpoint) as second:
                assert agent.say(bytes(50 * MS)).played_ms == 50
                assert isinstance(second.double.received[0], wire.Hello)
            kinds = [type(event) for event in iter(lambda: agent.poll(0), None)]
            assert Disconnected in kinds

    def test_while_the_voice_is_away_calls_fail_in_time(self, endpoint):
        with served_voice(endpoint):
            agent = connect(endpoint, timeout_s=0.3)
        with agent:
            eventually(lambda: not agent.connected)
            for call in (lambda: agent.say(bytes(64)), lambda: agent.state("idle"), agent.ping):
                with pytest.raises(ClientError) as caught:
                    call()
                assert caught.value.code == "unreachable"

    def test_a_voice_that_hangs_is_given_up(self, voice):
        with connect(voice.endpoint, timeout_s=1) as agent:
            turn = agent.turn()
            turn.write(bytes(500 * MS))
            voice.playing, voice.mute = False, True
            with pytest.raises(ClientError, match="has not answered"):
                turn.wait()

    def test_a_closed_client_says_so(self, voice):
        agent = connect(voice.endpoint)
        turn = agent.turn()
        agent.close()
        agent.close()
        for call in (lambda: turn.write(bytes(2)), agent.ping, agent.turn):
            with pytest.raises(ClientError) as caught:
                call()
            assert caught.value.code == "closed"

    def test_closing_wakes_who_waits(self, voice):
        voice.playing = False
        agent = connect(voice.endpoint)
        turn = agent.turn()
        turn.write(bytes(64))
        result = in_thread(turn.wait)
        eventually(lambda: voice.received(wire.Audio))
        agent.close()
        assert result().code == "closed"


def test_a_program_that_forgets_to_close_can_end(voice):
    code = f"from mien.client import connect; a = connect({voice.endpoint!r}); t = a.turn(); t.write(bytes(64))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)


def test_leaving_a_loop_ends_what_it_iterated_at_once(endpoint):
    """Not only when it is collected: somebody may hold it."""
    ended = []

    async def items():
        try:
            yield "first"
            yield "second"
        finally:
            ended.append(True)

    held = items()
    with served_voice(endpoint), connect(endpoint) as client:
        loop = client._items(held)
        assert next(loop) == "first"
        loop.close()
        assert ended == [True]
