"""MienAvatar in a real AgentSession: it speaks, is interrupted, shows the agent's state, and leaves no trace."""

import asyncio
import contextlib
import logging

import pytest
from livekit.agents import Agent, AgentSession, AgentStateChangedEvent
from livekit.agents.voice.io import _AudioSinkProxy
from livekit.agents.voice.transcription import TranscriptSynchronizer

from adapters.livekit.kit import PATIENCE_S, OwnOutput, TextSink, Told, eventually, frame, playout, run, say
from mien.adapters.livekit import MienAvatar, version
from mien.client import ClientError, Outcome, RelayDone, Said, Status, connect_async


async def frames(ms):
    for _ in range(ms // 20):
        yield frame(20)


@contextlib.asynccontextmanager
async def conversation(endpoint, *, there=True, **kind):
    """A session with LiveKit's own transcript synchronizer over an output of its own, and an avatar attached to it."""
    session, own, text = AgentSession(), OwnOutput(), TextSink()
    synchronizer = TranscriptSynchronizer(next_in_chain_audio=own, next_in_chain_text=text)
    session.output.audio, session.output.transcription = synchronizer.audio_output, synchronizer.text_output
    await session.start(Agent(instructions="none"))
    avatar = MienAvatar(endpoint, **kind)
    await avatar.start(session)
    if there:
        await avatar.wait_for_join(timeout=PATIENCE_S)
    try:
        yield session, avatar, own, text
    finally:
        await avatar.aclose()
        await session.aclose()
        await synchronizer.aclose()


def said(session):
    return [item.text_content for item in session.history.items if item.type == "message"]


def test_what_the_session_says_is_heard(endpoint):
    async def talk():
        async with conversation(endpoint) as (session, avatar, own, text):
            told = Told(avatar.output)
            handle = session.say("Hello there", audio=frames(600))
            await asyncio.wait_for(handle.wait_for_playout(), 20)
            assert [event.playback_position for event in told.finished] == [0.6]
            assert not own.frames
            assert said(session) == ["Hello there"]
            await eventually(lambda: text.text == "Hello there")

    run(talk())


def test_an_interruption_leaves_what_was_heard_in_the_history(endpoint):
    words = "one two three four five six seven eight nine ten"

    async def talk():
        async with conversation(endpoint) as (session, avatar, _own, _text):
            told = Told(avatar.output)
            handle = session.say(words, audio=frames(5000))
            await eventually(lambda: told.progressed and told.progressed[-1].offset > 1.0)
            await session.interrupt()
            await asyncio.wait_for(handle.wait_for_playout(), 20)
            assert told.calls == 1
            assert told.finished[0].interrupted
            (heard,) = said(session)
            assert words.startswith(heard.strip())
            assert 0 < len(heard) < len(words)

    run(talk())


def test_the_conversation_goes_on_while_mien_is_lost(process):
    async def talk():
        process.start()
        async with conversation(process.endpoint) as (session, avatar, own, _text):
            told = Told(avatar.output)
            handle = session.say("A long sentence", audio=frames(2500))
            await eventually(lambda: told.progressed)
            process.kill()
            await asyncio.wait_for(handle.wait_for_playout(), 20)
            assert own.frames
            assert said(session) == ["A long sentence"]
            await asyncio.wait_for(session.say("Another", audio=frames(300)).wait_for_playout(), 20)
            assert said(session) == ["A long sentence", "Another"]
            assert told.calls == 2

    run(talk())


def test_the_outputs_are_put_back(endpoint):
    async def talk():
        async with conversation(endpoint) as (session, avatar, own, text):
            top, transcription = session.output.audio, session.output.transcription
            assert transcription.label == "mien"
            await avatar.aclose()
            await avatar.aclose()
            assert session.output.audio is top
            assert session.output.transcription is transcription.next_in_chain
            await asyncio.wait_for(session.say("again", audio=frames(200)).wait_for_playout(), 20)
            assert own.got_s == pytest.approx(0.2)
            await eventually(lambda: text.text == "again")

    run(talk())


def test_closing_in_mid_speech_hangs_nothing(endpoint):
    async def talk():
        async with conversation(endpoint) as (session, avatar, _own, _text):
            told = Told(avatar.output)
            handle = session.say("A long sentence", audio=frames(5000))
            await eventually(lambda: told.progressed)
            await avatar.aclose()
            await asyncio.wait_for(handle.wait_for_playout(), 20)
            assert told.calls == 1

    run(talk())


def test_what_a_supervisor_relays_reaches_the_agent_that_takes_such_and_its_answer_comes_back(endpoint):
    async def talk():
        relayed = []
        async with (
            conversation(endpoint, relayed=relayed.append) as (_, avatar, _, _),
            connect_async(endpoint, role="agent", name="Ada") as ada,
        ):
            number = await ada.relay("whisper", "She has a ticket.")
            await eventually(lambda: relayed)
            assert (relayed[0].kind, relayed[0].text, relayed[0].sender) == ("whisper", "She has a ticket.", "Ada")
            avatar.relay_done(relayed[0], "kept")
            while not isinstance(done := await ada.poll(PATIENCE_S), RelayDone):
                assert done is not None
            assert (done.id, done.outcome) == (number, "kept")
        async with conversation(endpoint), connect_async(endpoint, role="agent") as ada:
            with pytest.raises(ClientError, match="no speaker takes relayed texts"):
                await ada.relay("say", "Hello")

    run(talk())


def test_an_output_without_wrappers_is_put_back(endpoint):
    async def talk():
        session, own = AgentSession(), OwnOutput()
        session.output.audio = own
        avatar = MienAvatar(endpoint, captions=False)
        await avatar.start(session)
        assert session.output.audio is avatar.output
        assert session.output.transcription is None
        await say(session.output.audio, 100)
        await playout(avatar.output)
        await avatar.aclose()
        assert session.output.audio is own

    run(talk())


def test_an_output_that_somebody_else_replaced_is_left_alone(endpoint):
    async def talk():
        session, other = AgentSession(), OwnOutput()
        session.output.audio = OwnOutput()
        avatar = MienAvatar(endpoint)
        await avatar.start(session)
        session.output.audio = other
        await avatar.aclose()
        assert session.output.audio is other

    run(talk())


def test_before_the_session_it_waits_for_the_sessions_own_output(endpoint):
    async def talk():
        session, own = AgentSession(), OwnOutput()
        avatar = MienAvatar(endpoint)
        await avatar.start(session)
        assert session.output.audio is None, "an output that is there already would keep LiveKit from making its own"
        session.output.audio = proxy = _AudioSinkProxy(own)
        await session.start(Agent(instructions="none"))
        await eventually(lambda: proxy.next_in_chain is avatar.output)
        assert avatar.output.fallback is own
        await asyncio.wait_for(session.say("hi", audio=frames(100)).wait_for_playout(), 20)
        assert not own.frames
        await avatar.aclose()
        assert proxy.next_in_chain is own
        await session.aclose()

    run(talk())


def test_a_session_without_an_output_gets_mien(endpoint, caplog):
    async def talk():
        session = AgentSession()
        avatar = MienAvatar(endpoint)
        await avatar.start(session)
        await session.start(Agent(instructions="none"))
        await eventually(lambda: session.output.audio is avatar.output)
        await asyncio.wait_for(session.say("hi", audio=frames(100)).wait_for_playout(), 20)
        await avatar.aclose()
        assert session.output.audio is None
        await session.aclose()

    with caplog.at_level(logging.WARNING):
        run(talk())
    assert "nothing can speak while mien is lost" in caplog.text


def test_the_face_shows_what_the_agent_does(endpoint):
    async def talk():
        async with (
            connect_async(endpoint, role="observer") as desk,
            conversation(endpoint) as (session, _avatar, _own, _text),
        ):
            await desk.subscribe("state", "captions")
            session.emit("agent_state_changed", AgentStateChangedEvent(old_state="idle", new_state="listening"))
            session._update_agent_state("thinking")
            await asyncio.wait_for(session.say("Hello", audio=frames(400)).wait_for_playout(), 20)
            seen, texts = [], ""
            async for event in desk.events():
                if isinstance(event, Said):
                    texts += event.text
                if isinstance(event, Status) and event.state:
                    seen.append((event.phase, event.state))
                if isinstance(event, Outcome):
                    break
            return [state for _, state in seen], [phase for phase, _ in seen], texts

    states, phases, texts = run(talk())
    assert "thinking" in states
    assert states[-1] == "listening"
    assert "speaking" in phases
    assert texts == "Hello"


def test_a_takeover_interrupts_the_session(endpoint):
    async def talk():
        async with conversation(endpoint) as (session, avatar, _own, _text):
            told = Told(avatar.output)
            handle = session.say("one two three four five six", audio=frames(5000))
            await eventually(lambda: told.progressed)
            async with connect_async(endpoint, name="desk", role="agent") as desk:
                await desk.take_floor()
                await asyncio.wait_for(handle.wait_for_playout(), 20)
            assert handle.interrupted
            assert told.calls == 1

    run(talk())


def test_a_voice_that_is_not_there_is_no_error(tmp_path, caplog):
    async def talk():
        async with conversation(f"ipc://{tmp_path}/none.sock", there=False) as (session, avatar, own, _text):
            with pytest.raises(TimeoutError, match="mien did not answer within"):
                await avatar.wait_for_join(timeout=0.1)
            await asyncio.wait_for(session.say("hi", audio=frames(200)).wait_for_playout(), 20)
            assert own.got_s == pytest.approx(0.2)

    with caplog.at_level(logging.WARNING):
        run(talk())
    assert "Start mien with `mien run`" in caplog.text


def test_it_joins_and_reports_it(endpoint):
    async def talk():
        session = AgentSession()
        session.output.audio = OwnOutput()
        avatar = MienAvatar(endpoint)
        metrics = []
        avatar.on("metrics_collected", metrics.append)
        await avatar.start(session)
        await avatar.wait_for_join(timeout=1)
        assert avatar.provider == "mien"
        assert avatar.avatar_identity == "livekit-agent"
        assert metrics[0].avatar_joined_time >= metrics[0].session_started_time
        with pytest.raises(RuntimeError, match="started before"):
            await avatar.start(session)
        await avatar.aclose()

    run(talk())


def test_before_start_it_says_so():
    with pytest.raises(RuntimeError, match=r"await avatar\.start"):
        _ = MienAvatar().output


def test_a_rate_that_is_wrong_is_raised(endpoint):
    async def talk():
        await MienAvatar(endpoint, rate_hz=12345).start(AgentSession())

    with pytest.raises(ClientError, match="12345"):
        run(talk())


@pytest.mark.parametrize(("found", "supported"), [("1.8.0", 1), ("1.99.1", 1), ("1.7.9", 0), ("2.0.0rc1", 0), ("", 0)])
def test_another_version_is_named_with_those_that_are_supported(monkeypatch, found, supported):
    monkeypatch.setattr(version.metadata, "version", lambda _: found)
    if supported:
        version.require_supported()
        return
    with pytest.raises(ImportError, match=r"supports 1\.8 and later, below 2: pip install 'mien\[livekit\]'"):
        version.require_supported()


def test_without_livekit_agents_it_says_how_to_install_it(monkeypatch):
    def missing(_):
        raise version.metadata.PackageNotFoundError

    monkeypatch.setattr(version.metadata, "version", missing)
    with pytest.raises(ImportError, match=r"pip install 'mien\[livekit\]'"):
        version.require_supported()


def test_the_agents_text_guides_the_lips(endpoint, guided):
    async def talk():
        async with conversation(endpoint) as (session, _avatar, _own, _text):
            await asyncio.wait_for(session.say("Good morning.", audio=frames(800)).wait_for_playout(), 20)

    run(talk())
    assert [word.phones for word in guided] == ["Good", "morning."]
