"""The samples in the clients' docstrings run as printed, also with a barge-in."""

import asyncio
import textwrap
import wave

import pytest

import mien.client.aio
import mien.client.sync
from mien.client import Finished, connect, connect_async
from mien.core import wire
from mien.errors import ClientError
from rigs.voice_server import served_voice

MS = 32


def samples(module):
    """The indented blocks of a module's docstring."""
    lines = module.__doc__.split("\n")
    blocks, block = [], []
    for line in [*lines, ""]:
        if line.startswith("    ") or (not line and block):
            block.append(line)
        else:
            blocks += ["\n".join(block)] * bool(block)
            block = []
    blocks += ["\n".join(block)] * bool(any(block))
    return [textwrap.dedent(text) for joined in blocks for text in joined.strip("\n").split("\n\n")]


def run_sync(code, endpoint, **names):
    printed = []
    exec(code, {"connect": lambda: connect(endpoint), "print": printed.append, **names})
    return printed


def run_async(code, endpoint, **names):
    body = f"async def sample():\n{textwrap.indent(code, '    ')}\n    return heard"
    space = {"connect_async": lambda: connect_async(endpoint), **names}
    exec(body, space)
    return asyncio.run(asyncio.wait_for(space["sample"](), 20))


@pytest.fixture
def hello_wav(tmp_path, monkeypatch):
    with wave.open(str(tmp_path / "hello.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(bytes(100 * MS))
    monkeypatch.chdir(tmp_path)


def test_there_are_as_many_as_this_page_knows():
    assert (len(samples(mien.client.aio)), len(samples(mien.client.sync))) == (1, 2)


@pytest.mark.usefixtures("hello_wav")
def test_say_wav(voice):
    assert run_sync(samples(mien.client.sync)[0], voice.endpoint) == [100.0]


def test_a_turn_in_chunks(voice):
    tts = [bytes(100 * MS)] * 3
    assert run_sync(samples(mien.client.sync)[1], voice.endpoint, tts=tts) == [300.0]


def test_a_turn_in_chunks_for_asyncio(voice):
    async def tts():
        for _ in range(3):
            yield bytes(100 * MS)

    heard = run_async(samples(mien.client.aio)[0], voice.endpoint, tts=tts())
    assert heard == Finished(turn="turn-1", played_ms=300.0, interrupted=False, reason="played")


class TestBargeIn:
    """On a barge-in between two chunks, the sample continues with wait()."""

    def test_for_asyncio(self, voice):
        async def tts(drawn):
            for _ in range(1000):
                drawn.append(1)
                yield bytes(100 * MS)
                await asyncio.sleep(0.001)
                if len(drawn) == 5:
                    await clients[0].interrupt()

        def opened():
            connecting = connect_async(voice.endpoint)
            clients.append(connecting._client)
            return connecting

        clients, drawn = [], []
        code = samples(mien.client.aio)[0]
        heard = run_async(code, voice.endpoint, tts=tts(drawn), connect_async=opened)
        assert (heard.interrupted, heard.reason) == (True, "interrupted")
        assert len(drawn) <= 6

    def test_for_threads(self, voice):
        def tts():
            for number in range(1000):
                if number == 5:
                    clients[0].interrupt()
                drawn.append(1)
                yield bytes(100 * MS)

        def opened():
            clients.append(connect(voice.endpoint))
            return clients[0]

        clients, drawn = [], []
        ((played_ms),) = run_sync(samples(mien.client.sync)[1], voice.endpoint, tts=tts(), connect=opened)
        assert 0 <= played_ms < 1000
        assert len(drawn) <= 6

    @pytest.mark.parametrize("finished", [False, True])
    def test_writing_to_a_turn_that_was_ended_is_the_programs_fault_still(self, voice, finished):
        def after_the_end(_agent, turn):
            turn.end()
            if finished:
                turn.wait()
            turn.write(bytes(MS))

        assert self.raised(voice, after_the_end, ClientError).code == "turn_closed"

    def test_other_errors_leave_the_block(self, voice):
        def broken(agent, _turn):
            agent.interrupt()
            raise ClientError("whatever", code="unreachable")

        assert self.raised(voice, broken, ClientError).code == "unreachable"
        assert self.raised(voice, lambda agent, _: (agent.interrupt(), 1 / 0), ZeroDivisionError)

    def raised(self, voice, act, kind):
        with connect(voice.endpoint) as agent:
            try:
                with agent.turn() as turn:
                    turn.write(bytes(MS))
                    act(agent, turn)
            except kind as error:
                return error
        raise AssertionError("nothing was raised")


class TestBye:
    def test_close_says_it_and_waits_for_the_answer(self, endpoint):
        with served_voice(endpoint, capabilities=("bye",)) as voice:
            with connect(endpoint):
                pass
            assert voice.double.received[-1] == wire.Bye()

    def test_not_to_a_voice_that_does_not_know_it(self, voice):
        with connect(voice.endpoint):
            pass
        assert wire.Bye() not in voice.double.received

    def test_close_does_not_wait_long_for_a_voice_that_hangs(self, endpoint):
        with served_voice(endpoint, capabilities=("bye",)) as voice:
            agent = connect(endpoint)
            voice.mute = True
            agent.close()
            with pytest.raises(ClientError, match="closed"):
                agent.say(bytes(MS))


class TestAPlaceThatIsLost:
    def test_a_client_that_was_replaced_stays_away(self, voice):
        with connect(voice.endpoint) as agent:
            voice.refuse_with = wire.Error(code="replaced", message="two of you")
            with pytest.raises(ClientError):
                agent.say(bytes(100 * MS))
            voice.refuse_with = None
            with pytest.raises(ClientError) as caught:
                agent.say(bytes(MS))
            assert (caught.value.code, len(voice.doubles)) == ("replaced", 1)

    def test_one_that_gave_way_comes_back_when_it_has_something_to_say(self, voice):
        with connect(voice.endpoint) as agent:
            voice.refuse_with = wire.Error(code="gave_way", message="full", retryable=True)
            agent.send(wire.Ping())
            while agent.connected:
                agent.poll(0.01)
            voice.refuse_with = None
            agent.poll(0.5)
            assert not agent.connected
            assert len(voice.doubles) == 1
            assert agent.say(bytes(100 * MS)).reason == "played"
            assert len(voice.doubles) == 2
