"""The protocol state of a session, stepped by hand: no socket, clock or thread."""

import msgspec
import pytest

from mien.client._session import EVENTS_KEPT, HEARD_KEPT, Disconnected, Session, _client_error
from mien.core import wire
from mien.errors import ClientError
from rigs.voice_double import LIMITS, VoiceDouble, make_welcome

MS = 32  # bytes of one ms at 16 kHz


def make_session(**arguments):
    return Session(wire.Hello(protocol=1), where="ipc:///voice", **arguments)


def sent(session):
    """All outgoing messages, decoded, without payloads."""
    headers = [wire.decode_client(frames[0]) for frames in session.outgoing]
    session.outgoing.clear()
    return headers


def tell(session, *messages, now_s=0.0):
    for message in messages:
        session.receive([wire.encode(message)], now_s)


@pytest.fixture
def session():
    session = make_session()
    session.greet(0.0)
    tell(session, make_welcome())
    session.outgoing.clear()
    session.events.clear()
    return session


def speak(session, ms, name=None):
    turn = session.open_turn(name)
    assert session.write(turn, memoryview(bytes(ms * MS))) == ms * MS
    return turn


def refusal(turn, seq, code="buffer_full", *, retryable=True):
    return wire.Error(code=code, message="no", retryable=retryable, turn=turn.name, seq=seq)


class TestGreeting:
    @pytest.mark.parametrize("name", ["a\0b", "a\n", "\ud800", "", "x" * 65])
    def test_a_name_that_no_voice_would_take_is_told_before_there_is_a_socket(self, name):
        with pytest.raises(ClientError) as caught:
            Session(wire.Hello(protocol=1, client=name))
        assert (caught.value.code, caught.value.retryable) == ("malformed", False)

    def test_hello_goes_first_and_welcome_opens(self):
        session = make_session()
        session.greet(0.0)
        assert sent(session) == [wire.Hello(protocol=1)]
        assert session.state == "greeting"
        tell(session, make_welcome("abc"))
        assert session.state == "open"
        assert session.welcome.session == "abc"

    def test_a_refusal_is_kept_with_the_versions_that_are_spoken(self):
        session = make_session()
        session.greet(0.0)
        tell(session, wire.Error(code="protocol_version", message="too new", protocols=(1, 2)))
        assert session.state == "refused"
        assert session.refusal.code == "protocol_version"
        assert "1, 2" in str(session.refusal)

    def test_nothing_can_be_sent_before_welcome(self):
        session = make_session()
        session.greet(0.0)
        turn = session.open_turn()
        with pytest.raises(ClientError, match="mien-voice"):
            session.write(turn, memoryview(bytes(64)))
        with pytest.raises(ClientError, match="mien-voice"):
            session.send(wire.Pause())

    def test_a_fresh_connection_drops_what_was_meant_for_the_old_one(self, session):
        session.send(wire.Pause())
        session.lose("gone")
        session.greet(1.0)
        assert sent(session) == [wire.Hello(protocol=1)]

    def test_a_later_hello_names_the_session_before_where_the_voice_understands_that(self):
        session = make_session()
        session.greet(0.0)
        tell(session, make_welcome("first", capabilities=("replaces",)))
        session.lose("gone")
        session.outgoing.clear()
        session.greet(1.0)
        assert sent(session) == [wire.Hello(protocol=1, replaces="first")]
        tell(session, make_welcome("second"))
        session.lose("gone")
        session.greet(2.0)
        assert sent(session) == [wire.Hello(protocol=1)]


class TestTurns:
    def test_audio_is_numbered_and_split_at_the_limit(self, session):
        turn = session.open_turn("t")
        speech = bytes(range(256)) * 60
        assert session.write(turn, memoryview(speech)) == len(speech)
        frames = list(session.outgoing)
        assert [wire.decode_client(header).seq for header, _ in frames] == [0, 1, 2]
        assert max(len(payload) for _, payload in frames) <= LIMITS.max_chunk_bytes
        assert b"".join(payload for _, payload in frames) == speech

    def test_an_odd_chunk_limit_is_kept_in_whole_samples(self):
        session = make_session()
        session.greet(0.0)
        limits = wire.Limits(
            max_chunk_bytes=101,
            max_header_bytes=16384,
            max_buffer_ms=1000,
            max_turn_ms=1,
            max_turns=1,
            turn_idle_timeout_ms=1,
        )
        tell(session, make_welcome(limits=limits))
        session.outgoing.clear()
        speak(session, 20)
        assert {len(payload) for _, payload in session.outgoing} <= {100, 640 % 100}

    def test_names_are_unique_and_checked(self, session):
        first, second = session.open_turn(), session.open_turn()
        assert first.name != second.name
        with pytest.raises(ClientError) as caught:
            session.open_turn(first.name)
        assert caught.value.code == "turn_exists"
        with pytest.raises(ClientError) as caught:
            session.open_turn("x" * 65)
        assert caught.value.code == "malformed"

    def test_the_end_follows_once_the_voice_has_all(self, session):
        turn = speak(session, 100)
        session.outgoing.clear()
        session.end(turn)
        (ping,) = sent(session)
        tell(session, wire.Pong(nonce=ping.nonce, now_ns=0))
        assert sent(session) == [wire.End(turn=turn.name)]
        with pytest.raises(ClientError) as caught:
            session.write(turn, memoryview(bytes(2)))
        assert caught.value.code == "turn_closed"

    def test_a_turn_without_audio_is_ended_at_once(self, session):
        turn = session.open_turn()
        session.end(turn)
        assert sent(session) == [wire.End(turn=turn.name)]

    def test_finished_is_kept_and_closes_the_turn(self, session):
        turn = speak(session, 100)
        done = wire.Finished(turn=turn.name, played_ms=60.0, interrupted=False, reason="idle_timeout")
        tell(session, wire.Started(turn=turn.name, latency_ms=12.0), done)
        assert turn.finished == done
        assert turn.started.latency_ms == 12.0
        assert turn.name not in session.turns
        with pytest.raises(ClientError, match="idle_timeout"):
            session.write(turn, memoryview(bytes(2)))

    @pytest.mark.parametrize("code", ["floor_taken", "too_many_turns", "turn_exists"])
    def test_a_turn_that_is_refused_at_its_first_chunk_fails(self, session, code):
        turn = speak(session, 300)
        tell(session, refusal(turn, 0, code), refusal(turn, 1, "out_of_order", retryable=False))
        assert turn.error.code == code
        assert not session.owes(turn)
        assert session.credit_ms() == LIMITS.max_buffer_ms
        with pytest.raises(ClientError):
            session.write(turn, memoryview(bytes(2)))

    def test_an_end_without_audio_that_is_refused_fails_the_turn(self, session):
        turn = session.open_turn()
        session.end(turn)
        tell(session, refusal(turn, -1, "too_many_turns"))
        assert turn.error.code == "too_many_turns"

    def test_a_refusal_in_mid_turn_still_owes_a_finished(self, session):
        turn = speak(session, 300)
        tell(session, refusal(turn, 1, "turn_too_long", retryable=False))
        assert turn.error.code == "turn_too_long"
        assert session.owes(turn)
        tell(session, wire.Finished(turn=turn.name, played_ms=200.0, interrupted=True, reason="interrupted"))
        assert not session.owes(turn)

    def test_what_a_failed_turn_has_not_got_through_takes_no_room(self, session):
        turn = speak(session, 800)  # four chunks
        tell(session, refusal(turn, 1, "turn_too_long", retryable=False))
        assert session.credit_ms() == pytest.approx(800)

    def test_a_refused_caption_does_not_touch_the_turn(self, session):
        turn = speak(session, 100)
        tell(session, refusal(turn, -1, "malformed", retryable=False))
        assert turn.error is None
        assert session.write(turn, memoryview(bytes(64))) == 64

    def test_audio_that_came_too_late_is_no_error_of_its_own(self, session):
        turn = speak(session, 300)
        tell(session, refusal(turn, 1, "turn_closed", retryable=False))
        assert turn.error is None
        assert turn.closing

    def test_a_name_that_was_used_before_fails_the_turn(self, session):
        turn = speak(session, 100)
        tell(session, refusal(turn, 0, "turn_closed", retryable=False))
        assert turn.error.code == "turn_closed"
        assert not session.owes(turn)

    def test_the_voice_that_closed_a_turn_before_all_of_it_came_is_told(self, session):
        turn = speak(session, 100)
        turn.end_sent = turn.end_wanted = True
        tell(session, refusal(turn, 0, "turn_closed", retryable=False))
        assert turn.error.code == "turn_closed"


class TestInterrupt:
    def test_one_turn(self, session):
        turn, other = speak(session, 100), speak(session, 100)
        session.outgoing.clear()
        assert session.interrupt(turn) == [turn]
        assert sent(session) == [wire.Interrupt(turn=turn.name)]
        with pytest.raises(ClientError, match="interrupted"):
            session.write(turn, memoryview(bytes(2)))
        assert session.write(other, memoryview(bytes(2))) == 2

    def test_all(self, session):
        turns = [speak(session, 100), speak(session, 100)]
        session.outgoing.clear()
        assert session.interrupt() == turns
        assert sent(session) == [wire.Interrupt(turn=None)]

    def test_the_turns_that_the_voice_names_take_no_more_audio(self, session):
        turn, behind = speak(session, 100), speak(session, 100)
        tell(session, wire.Interrupted(turns=(turn.name, behind.name)))
        with pytest.raises(ClientError, match="interrupted"):
            session.write(behind, memoryview(bytes(2)))

    def test_a_turn_that_was_never_begun_finishes_here(self, session):
        turn = session.open_turn()
        session.interrupt(turn)
        assert sent(session) == []
        assert turn.finished.interrupted
        assert turn.finished.played_ms == 0

    def test_interrupting_twice_or_after_the_end_sends_nothing(self, session):
        turn = speak(session, 100)
        session.interrupt(turn)
        session.outgoing.clear()
        session.interrupt(turn)
        tell(session, wire.Finished(turn=turn.name, played_ms=1.0, interrupted=True, reason="interrupted"))
        assert session.interrupt(turn) == []
        assert sent(session) == []

    def test_a_turn_that_the_voice_never_took_finishes_here(self, session):
        turn = speak(session, 100)
        session.interrupt(turn)
        tell(session, refusal(turn, 0))
        assert turn.finished.interrupted
        other = speak(session, 100)
        tell(session, refusal(other, 0))
        session.interrupt(other)
        assert other.finished.interrupted
        third = speak(session, 100)
        session.interrupt(third)
        tell(session, refusal(third, -1, "unknown_turn", retryable=False))
        assert third.finished.interrupted

    def test_no_end_follows_an_interrupt(self, session):
        turn = speak(session, 100)
        session.end(turn)
        session.interrupt(turn)
        session.outgoing.clear()
        tell(session, wire.Pong(nonce=99, now_ns=0))
        assert sent(session) == []


class TestCredit:
    def test_no_more_is_sent_than_the_voice_holds(self, session):
        turn = session.open_turn()
        assert session.write(turn, memoryview(bytes(1500 * MS))) == 1000 * MS
        assert session.credit_ms() == 0
        assert not session.has_room(turn, 500 * MS)

    def test_what_was_heard_makes_room(self, session):
        turn = speak(session, 1000)
        tell(session, wire.Progress(turn=turn.name, played_ms=300.0, buffered_ms=700.0, credit_ms=300.0))
        assert session.credit_ms() == pytest.approx(300)
        assert session.write(turn, memoryview(bytes(400 * MS))) == 300 * MS

    def test_turns_share_it_and_finished_ones_give_it_back(self, session):
        first, second = speak(session, 600), speak(session, 400)
        assert not session.has_room(second, 64)
        tell(session, wire.Finished(turn=first.name, played_ms=0.0, interrupted=True, reason="interrupted"))
        assert session.credit_ms() == pytest.approx(600)

    def test_it_is_never_more_than_the_voice_holds_whatever_it_reports(self, session):
        turn = speak(session, 300)
        tell(session, wire.Progress(turn=turn.name, played_ms=100.0, buffered_ms=200.0, credit_ms=5000.0))
        assert session.credit_ms() == pytest.approx(800)

    def test_slivers_are_not_sent(self, session):
        turn = speak(session, 1000)
        tell(session, wire.Progress(turn=turn.name, played_ms=5.0, buffered_ms=995.0, credit_ms=5.0))
        assert session.write(turn, memoryview(bytes(100 * MS))) == 0
        assert session.write(turn, memoryview(bytes(4 * MS))) == 4 * MS

    def test_an_old_progress_takes_nothing_back(self, session):
        turn = speak(session, 500)
        tell(
            session,
            wire.Progress(turn=turn.name, played_ms=300.0, buffered_ms=200.0, credit_ms=800.0),
            wire.Progress(turn=turn.name, played_ms=100.0, buffered_ms=400.0, credit_ms=600.0),
        )
        assert session.credit_ms() == pytest.approx(800)

    def test_a_turn_that_goes_on_after_a_stall_is_told_and_counts_as_heard(self, session):
        turn = speak(session, 500)
        resumed = wire.Rebuffered(turn=turn.name, played_ms=300.0, stood_ms=120.0, cushion_ms=80.0)
        tell(session, wire.Stalled(turn=turn.name, played_ms=290.0), resumed)
        assert turn.heard_frames == 16 * 300
        assert resumed in session.events


class TestRefusedChunks:
    def test_the_refused_chunk_and_all_behind_it_go_again_after_the_pong(self, session):
        turn = speak(session, 800)  # four chunks
        session.outgoing.clear()
        tell(session, refusal(turn, 1))
        (ping,) = sent(session)
        tell(session, refusal(turn, 2, "out_of_order", retryable=False), refusal(turn, 3, "out_of_order"))
        assert turn.error is None
        tell(session, wire.Progress(turn=turn.name, played_ms=200.0, buffered_ms=0.0, credit_ms=1000.0))
        assert sent(session) == []
        tell(session, wire.Pong(nonce=ping.nonce, now_ns=0))
        assert [message.seq for message in sent(session)] == [1]
        tell(session, wire.Progress(turn=turn.name, played_ms=400.0, buffered_ms=0.0, credit_ms=1000.0))
        assert [message.seq for message in sent(session)] == [2, 3]

    def test_a_chunk_that_begins_where_was_heard_up_to_is_kept_for_a_refusal(self, session):
        turn = speak(session, 400)
        tell(session, wire.Progress(turn=turn.name, played_ms=200.0, buffered_ms=0.0, credit_ms=1000.0))
        tell(session, refusal(turn, 1))
        assert turn.error is None
        tell(session, wire.Pong(nonce=sent(session)[-1].nonce, now_ns=0))
        tell(session, wire.Progress(turn=turn.name, played_ms=200.0, buffered_ms=0.0, credit_ms=1000.0))
        assert [message.seq for message in sent(session)] == [1]

    def test_what_is_refused_again_goes_again_in_its_order(self, session):
        turn = session.open_turn()
        session.write(turn, memoryview(b"".join(bytes([chunk]) * 200 * MS for chunk in range(4))))
        heard = wire.Progress(turn=turn.name, played_ms=200.0, buffered_ms=0.0, credit_ms=200.0)
        for _ in range(2):
            tell(session, refusal(turn, 1))
            tell(session, wire.Pong(nonce=sent(session)[-1].nonce, now_ns=0), heard)
        session.outgoing.clear()
        again = []
        for played_ms in (400.0, 600.0):
            tell(session, wire.Progress(turn=turn.name, played_ms=played_ms, buffered_ms=0.0, credit_ms=1000.0))
            again += [payload[0] for _, payload in session.outgoing]
            session.outgoing.clear()
        assert again == [2, 3]

    def test_a_rate_limit_is_no_news_of_the_room(self, session):
        turn = speak(session, 400)
        tell(session, refusal(turn, 1, "rate_limited"))
        assert session.credit_ms() == pytest.approx(800)

    def test_a_stall_is_no_news_of_the_room(self, session):
        turn = speak(session, 800)
        tell(session, refusal(turn, 1))
        tell(session, wire.Pong(nonce=sent(session)[-1].nonce, now_ns=0))
        tell(session, wire.Stalled(turn=turn.name, played_ms=0.0))
        assert session.credit_ms() == 0
        assert sent(session) == []

    def test_nothing_new_overtakes_a_refused_chunk(self, session):
        turn = speak(session, 400)
        tell(session, refusal(turn, 1))
        assert session.write(turn, memoryview(bytes(64))) == 0
        assert not session.has_room(turn, 64)

    def test_the_end_waits_for_refused_chunks(self, session):
        turn = speak(session, 400)
        session.end(turn)
        tell(session, refusal(turn, 1))
        sent(session)
        tell(session, wire.Pong(nonce=99, now_ns=0))
        assert sent(session) == []
        tell(session, wire.Progress(turn=turn.name, played_ms=200.0, buffered_ms=0.0, credit_ms=1000.0))
        audio, ping = sent(session)
        assert audio.seq == 1
        tell(session, wire.Pong(nonce=max(ping.nonce, 100), now_ns=0))
        assert sent(session) == [wire.End(turn=turn.name)]

    def test_a_voice_that_gives_no_sign_is_tried_again(self, session):
        turn = speak(session, 200)
        tell(session, refusal(turn, 0))
        tell(session, wire.Pong(nonce=99, now_ns=0))
        session.outgoing.clear()
        session.tick(0.0)
        assert sent(session) == []
        session.tick(0.3)
        assert [message.seq for message in sent(session)] == [0]

    def test_a_lost_ping_is_asked_again(self, session):
        turn = speak(session, 200)
        session.end(turn)
        session.outgoing.clear()
        session.tick(1.0)
        (again,) = sent(session)
        assert isinstance(again, wire.Ping)
        tell(session, wire.Pong(nonce=again.nonce, now_ns=0))
        assert sent(session) == [wire.End(turn=turn.name)]

    def test_a_refusal_that_was_never_told_fails_the_turn(self, session):
        turn = speak(session, 600)
        tell(session, refusal(turn, 2, "out_of_order", retryable=False))
        assert turn.error.code == "out_of_order"

    def test_a_repeated_chunk_does_no_harm(self, session):
        turn = speak(session, 600)
        tell(session, refusal(turn, 0, "repeated", retryable=False))
        assert turn.error is None

    def test_a_chunk_larger_than_the_room_goes_again_in_parts(self, session):
        turn = speak(session, 400)
        tell(session, wire.Progress(turn=turn.name, played_ms=100.0, buffered_ms=0.0, credit_ms=1000.0))
        tell(session, refusal(turn, 1))
        session.outgoing.clear()
        tell(session, wire.Pong(nonce=99, now_ns=0))
        tell(session, wire.Progress(turn=turn.name, played_ms=150.0, buffered_ms=50.0, credit_ms=50.0))
        ((header, payload),) = session.outgoing
        assert wire.decode_client(header).seq == 1
        assert len(payload) == 50 * MS


class TestLoss:
    def test_turns_that_were_begun_fail_and_others_wait_for_the_next_session(self, session):
        begun, waiting = speak(session, 100), session.open_turn()
        tell(session, wire.Progress(turn=begun.name, played_ms=40.0, buffered_ms=60.0, credit_ms=940.0))
        session.lose("it stopped")
        assert (begun.error.code, begun.error.retryable) == ("unreachable", True)
        assert "40 ms" in str(begun.error)
        assert "it stopped" in str(begun.error)
        assert session.events[-1] == Disconnected(why="it stopped")
        session.greet(1.0)
        tell(session, make_welcome("second"))
        assert session.write(waiting, memoryview(bytes(64))) == 64

    def test_the_buffer_is_empty_in_the_next_session(self, session):
        speak(session, 1000)
        session.lose("it stopped")
        assert session.credit_ms() == 0
        session.greet(1.0)
        tell(session, make_welcome())
        assert session.credit_ms() == 1000

    def test_a_voice_that_was_restarted_unseen_says_no_hello(self, session):
        turn = speak(session, 100)
        tell(session, wire.Error(code="no_hello", message="say hello"))
        assert session.state == "lost"
        assert "restarted" in str(turn.error)

    def test_silence_is_asked_about_and_then_believed(self):
        session = make_session(patience_s=4.0)
        session.greet(0.0)
        tell(session, make_welcome(), now_s=1.0)
        session.outgoing.clear()
        session.tick(2.9)
        assert sent(session) == []
        session.tick(3.1)
        assert [type(message) for message in sent(session)] == [wire.Ping]
        session.tick(5.0)
        assert session.state == "open"
        session.tick(5.2)
        assert session.state == "lost"

    def test_an_answer_restores_the_patience(self):
        session = make_session(patience_s=4.0)
        session.greet(0.0)
        tell(session, make_welcome())
        session.tick(2.5)
        tell(session, wire.Pong(nonce=1, now_ns=0), now_s=3.0)
        session.tick(4.9)
        assert session.state == "open"

    def test_a_process_that_was_stopped_asks_before_it_gives_up(self):
        session = make_session(patience_s=4.0)
        session.greet(0.0)
        tell(session, make_welcome())
        session.tick(3600.0)
        assert session.state == "open"

    def test_no_welcome_is_silence_too(self):
        session = make_session(patience_s=4.0)
        session.greet(0.0)
        session.tick(3.9)
        assert session.state == "greeting"
        session.tick(4.1)
        assert session.state == "lost"
        assert not session.events

    def test_close_fails_what_is_open(self, session):
        turn = speak(session, 100)
        session.close()
        assert turn.error.code == "closed"
        assert session.state == "closed"


class TestEvents:
    def test_they_come_in_order_without_pongs(self, session):
        turn = speak(session, 10)
        messages = [wire.Started(turn=turn.name, latency_ms=1.0), wire.LevelChanged(old="a", new="b", why="c")]
        tell(session, messages[0], wire.Pong(nonce=0, now_ns=5), messages[1])
        assert list(session.events) == messages

    def test_the_oldest_are_dropped_and_counted(self, session):
        for number in range(EVENTS_KEPT + 3):
            tell(session, wire.LevelChanged(old="a", new=str(number), why=""))
        assert len(session.events) == EVENTS_KEPT
        assert session.events_dropped == 3
        assert session.events[-1].new == str(EVENTS_KEPT + 2)

    @pytest.mark.parametrize("frame", [b"", b"\xc1", b"\x81\xa4type\xa7unknown", b"\x81\xa4type\xa8finished"])
    def test_what_cannot_be_read_is_counted_and_passed_over(self, session, frame):
        session.receive([frame], 0.0)
        assert session.unreadable == 1
        assert session.state == "open"

    def test_news_of_unknown_turns_is_only_an_event(self, session):
        tell(session, wire.Finished(turn="other", played_ms=1.0, interrupted=False, reason="played"))
        assert len(session.events) == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (wire.Emotion(name="bored"), "malformed"),
        (wire.Volume(gain=1.5), "malformed"),
        (wire.LookAt(x=float("nan")), "malformed"),
        (wire.State(state=object()), "malformed"),
        (wire.Caption(turn="t", text="x" * 4000, words=(wire.Word("y" * 100, 0, 1),) * 200), "header_too_large"),
    ],
)
def test_a_bad_field_is_told_to_who_wrote_it(session, message, code):
    with pytest.raises(ClientError) as caught:
        session.send(message)
    assert caught.value.code == code
    assert not session.outgoing


def test_the_double_finishes_an_ordinary_turn():
    session, voice = make_session(), VoiceDouble()
    session.greet(0.0)

    def exchange():
        while session.outgoing:
            tell(session, *voice.take(session.outgoing.popleft()))

    exchange()
    turn = speak(session, 500)
    session.end(turn)
    exchange()
    tell(session, *voice.play(499))
    assert turn.finished is None
    tell(session, *voice.play(1))
    assert turn.finished.played_ms == 500


class TestTheEndOfASession:
    @pytest.mark.parametrize("code", ["replaced", "access_revoked"])
    def test_some_errors_end_it_for_good(self, session, code):
        turn = speak(session, 100)
        tell(session, wire.Error(code=code, message="why it is so"))
        assert (session.state, session.stays_away, session.dormant) == ("refused", True, False)
        assert session.refusal.code == code
        assert not session.refusal.retryable
        assert turn.error.code == "unreachable"
        assert "why it is so" in str(turn.error)
        assert [type(event) for event in session.events] == [Disconnected, wire.Error]

    @pytest.mark.parametrize(("code", "dormant"), [("gave_way", True), ("too_slow", False)])
    def test_others_until_there_is_something_to_say(self, session, code, dormant):
        tell(session, wire.Error(code=code, message="why", retryable=True))
        assert (session.state, session.stays_away, session.dormant) == ("lost", False, dormant)
        session.greet(1.0)
        assert not session.dormant

    def test_a_hello_that_is_refused_like_that_is_a_refusal(self):
        session = make_session()
        session.greet(0.0)
        tell(session, wire.Error(code="access_revoked", message="no"))
        assert session.state == "refused"

    def test_bye_is_said_where_it_is_understood(self, session):
        assert not session.say_bye()
        assert sent(session) == []
        session.lose("gone")
        assert not session.say_bye()
        session.greet(1.0)
        tell(session, make_welcome(capabilities=("bye",)))
        sent(session)
        session.events.clear()
        assert session.say_bye()
        assert sent(session) == [wire.Bye()]
        assert not session.bye_answered
        tell(session, wire.Bye())
        assert session.bye_answered
        assert not session.events


class TestRefusalsOfATurnThatIsBeingStopped:
    @pytest.mark.parametrize(
        ("code", "seq", "over"),
        [
            ("unknown_turn", -1, True),
            ("buffer_full", 0, True),
            ("floor_taken", 0, True),
            ("rate_limited", 0, True),
            ("repeated", 0, False),
            ("buffer_full", 3, False),
            ("turn_closed", 3, False),
            ("out_of_order", 1, False),
            ("caption_too_long", -1, False),
        ],
    )
    def test_only_one_that_says_that_it_was_never_begun_ends_it(self, session, code, seq, over):
        turn = speak(session, 100, "t")
        session.interrupt(turn)
        tell(session, refusal(turn, seq, code))
        assert (turn.finished is not None) is over
        assert turn.error is None
        assert session.owes(turn) is not over
        if over:
            assert (turn.finished.played_ms, turn.finished.interrupted) == (0.0, True)
        tell(session, wire.Finished(turn="t", played_ms=40.0, interrupted=True, reason="interrupted"))
        assert turn.finished.played_ms == (0.0 if over else 40.0)


@pytest.mark.parametrize(("protocols", "told"), [((), "no"), ((2, 3), "no; it speaks protocol 2, 3")])
def test_a_refusal_names_the_protocols_that_the_voice_speaks_if_it_tells_them(protocols, told):
    error = _client_error(wire.Error(code="bad_protocol", message="no", retryable=True, protocols=protocols))
    assert (str(error), error.code, error.retryable) == (told, "bad_protocol", True)


class TestBounds:
    def test_silence_is_judged_at_half_and_at_all_of_the_patience(self):
        session = make_session(patience_s=4.0)
        session.greet(10.0)
        tell(session, make_welcome(), now_s=10.0)
        session.outgoing.clear()
        session.tick(11.999)
        assert sent(session) == []
        session.tick(12.0)
        assert [type(message) for message in sent(session)] == [wire.Ping]
        session.tick(13.999)
        assert session.state == "open"
        session.tick(14.0)
        assert session.state == "lost"
        assert "has not answered for 4 s" in session.events[-1].why

    def test_a_greeting_is_given_up_after_all_of_the_patience(self):
        session = make_session(patience_s=4.0)
        session.greet(10.0)
        session.tick(13.999)
        assert session.state == "greeting"
        session.tick(14.0)
        assert session.state == "lost"
        session.outgoing.clear()
        session.tick(60.0)
        assert (session.state, sent(session)) == ("lost", [])

    def test_without_a_figure_the_patience_is_five_seconds(self):
        session = make_session()
        session.greet(0.0)
        session.tick(4.999)
        assert session.state == "greeting"
        session.tick(5.0)
        assert session.state == "lost"

    def test_as_many_events_and_as_much_sound_are_kept_as_the_page_says(self):
        assert (EVENTS_KEPT, HEARD_KEPT) == (1000, 1000)

    def test_what_is_lost_twice_is_told_once_and_what_is_closed_is_not_lost(self, session):
        session.lose("gone")
        session.lose("gone again")
        assert list(session.events) == [Disconnected(why="gone")]
        session.close()
        session.lose("late")
        assert session.state == "closed"
        assert len(session.events) == 1

    def test_a_turn_that_is_ended_twice_is_ended_once(self, session):
        turn = session.open_turn()
        session.end(turn)
        session.end(turn)
        assert sent(session) == [wire.End(turn=turn.name)]

    @pytest.mark.parametrize(
        "message",
        [
            wire.Started(turn="other", latency_ms=1.0),
            wire.Progress(turn="other", played_ms=1.0, buffered_ms=0.0, credit_ms=500.0),
            wire.Stalled(turn="other", played_ms=1.0),
            wire.Rebuffered(turn="other", played_ms=1.0, stood_ms=1.0, cushion_ms=1.0),
            wire.Interrupted(turns=("other",)),
            wire.Error(code="unknown_turn", message="no", turn="other"),
        ],
        ids=lambda message: type(message).__name__,
    )
    def test_news_of_a_turn_that_is_not_ours_changes_nothing(self, session, message):
        turn = speak(session, 100)
        before = session.credit_ms()
        tell(session, message)
        assert list(session.events) == [message]
        assert (session.state, session.credit_ms(), turn.closing, turn.error) == ("open", before, False, None)
        assert session.refused_order is None

    def test_a_refusal_without_a_turn_is_that_of_an_order(self, session):
        tell(session, wire.Error(code="not_allowed", message="no"))
        assert session.refused_order.code == "not_allowed"
        assert session.thumbnail is None

    def test_a_pong_that_was_never_asked_for_proves_nothing(self, session):
        turn = speak(session, 100)
        tell(session, wire.Pong(nonce=1_000_000, now_ns=0))
        session.outgoing.clear()
        session.end(turn)
        (ping,) = sent(session)
        assert (session.answered_ping, isinstance(ping, wire.Ping)) == (0, True)
        tell(session, wire.Pong(nonce=ping.nonce, now_ns=0))
        tell(session, wire.Pong(nonce=0, now_ns=0))
        assert session.answered_ping == ping.nonce


class TestTimesOfATransmitter:
    def test_a_refused_chunk_is_tried_again_after_a_fifth_of_a_second(self, session):
        turn = speak(session, 200)
        tell(session, refusal(turn, 0), wire.Pong(nonce=99, now_ns=0))
        session.outgoing.clear()
        session.tick(0.0)
        session.tick(0.199)
        assert sent(session) == []
        session.tick(0.2)
        assert [message.seq for message in sent(session)] == [0]

    def test_each_refusal_waits_from_its_own_time(self, session):
        turn = speak(session, 200)
        for began_s in (0.0, 0.25):
            tell(session, refusal(turn, 0), wire.Pong(nonce=99, now_ns=0))
            session.outgoing.clear()
            session.tick(began_s)
            session.tick(began_s + 0.1875)
            assert sent(session) == []
            session.tick(began_s + 0.21875)
            assert [message.seq for message in sent(session)] == [0]

    def test_nothing_is_ended_before_welcome(self):
        session = make_session()
        session.greet(0.0)
        turn = session.open_turn()
        session.outgoing.clear()
        with pytest.raises(ClientError, match="mien-voice"):
            session.end(turn)
        assert (sent(session), turn.end_wanted) == ([], False)

    def test_a_ping_is_asked_again_every_half_second_until_it_is_answered(self, session):
        turn = speak(session, 200)
        session.end(turn)
        session.outgoing.clear()
        told = []
        for step in range(15):
            session.tick(1.0 + step / 10)
            told.append(len(sent(session)))
        assert told == [1, 0, 0, 0, 0] * 3
        tell(session, wire.Pong(nonce=99, now_ns=0))
        session.outgoing.clear()
        session.tick(60.0)
        assert wire.End(turn=turn.name) not in sent(session)

    def test_twenty_milliseconds_of_room_are_waited_for(self, session):
        turn = speak(session, 1000)
        tell(session, wire.Progress(turn=turn.name, played_ms=19.9, buffered_ms=980.1, credit_ms=19.9))
        assert not session.has_room(turn, 100 * MS)
        assert session.has_room(turn, 19 * MS)  # it is no sliver where no more is wanted
        tell(session, wire.Progress(turn=turn.name, played_ms=20.0, buffered_ms=980.0, credit_ms=20.0))
        assert session.has_room(turn, 100 * MS)
        assert session.write(turn, memoryview(bytes(100 * MS))) == 20 * MS

    def test_a_voice_with_little_room_is_sent_what_fits(self):
        session = make_session()
        session.greet(0.0)
        tell(session, make_welcome(limits=msgspec.structs.replace(LIMITS, max_buffer_ms=10)))
        assert session.write(session.open_turn(), memoryview(bytes(100 * MS))) == 10 * MS
