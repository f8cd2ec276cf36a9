"""Who listens to the customer: what each gets, what it loses, who may, and who mutes."""

import json

import numpy as np
import pytest

from mien.audio.opus import MAX_PACKET_BYTES
from mien.core import bus, ear_bus, wire
from mien.voice.admission import CAPABILITIES
from mien.voice.roles import LOCAL, allowed_roles
from rigs.voice_rig import VoiceRig

BLOCK = bytes(640)
NOTHING = (False, False, False)  # of the signs


class Ear(VoiceRig):
    """A voice with an ear, and clients by name."""

    def __init__(self, *clients, **fields):
        super().__init__(**fields)
        self.ear_health()
        self.seq = 0
        for client in clients:
            self.listener(client)

    def listener(self, client, *, role="agent", mode="speech", encoding="s16le"):
        self.hello(client=client, role=role)
        self.say(wire.Listen(mode=mode, encoding=encoding), client=client)

    def block(self, *, speech=True, encoding="s16le", seq=None, payload=BLOCK):
        self.seq = self.seq + 1 if seq is None else seq
        self.hear(ear_bus.NearEnd(seq=self.seq, at_ns=self.seq * 20_000_000, encoding=encoding, speech=speech), payload)

    def start(self, utterance=1):
        self.hear(ear_bus.UserStarted(utterance=utterance, at_ns=5, confidence=0.75))

    def stop(self, utterance=1):
        self.hear(ear_bus.UserStopped(utterance=utterance, at_ns=9, started_ns=5, confidence=0.5))

    def seqs(self, client):
        return [message.seq for owner, message, _ in self.sounds if owner == client]

    def signs(self):
        """(live, muted, speaking), each time the face was told."""
        return [(m.live, m.muted, m.speaking) for m in self.published if isinstance(m, bus.EarSign)]

    def state(self, client):
        return self.got(wire.Ear, client)[-1].state


def test_both_capabilities_are_in_every_welcome():
    rig = VoiceRig()
    rig.hello()
    assert {"listen", "barge_in"} <= set(rig.got(wire.Welcome)[0].capabilities) == set(CAPABILITIES)


def test_without_an_ear_one_may_listen_and_is_told_the_remedy():
    rig = VoiceRig()
    rig.hello()
    rig.say(wire.Listen())
    (answer,) = rig.got(wire.Ear)
    assert (answer.state, answer.mode, answer.listeners) == ("absent", "speech", 1)
    assert "systemctl enable --now mien-ear" in answer.why
    assert rig.errors() == []


def test_blocks_go_with_time_and_number_to_whoever_wants_them():
    rig = Ear(b"x", b"y")
    rig.say(wire.Listen(mode="always"), client=b"y")
    sound = np.arange(320, dtype="<i2").tobytes()
    rig.block(speech=False)
    rig.block(speech=True, payload=sound)
    assert rig.seqs(b"y") == [1, 2]
    assert rig.sounds[-1] == (b"y", wire.NearEnd(seq=2, at_ns=40_000_000, speech=True), sound)


def test_only_those_who_listen_get_anything():
    rig = Ear(b"x")
    rig.hello(client=b"idle")
    rig.block()
    rig.start()
    assert rig.got(wire.UserStarted, b"idle") == []
    assert {owner for owner, *_ in rig.sounds} == {b"x"}
    rig.say(wire.Listen(mode="off"), client=b"x")
    rig.block()
    rig.stop()
    assert rig.got(wire.UserStopped, b"x") == []
    assert rig.seqs(b"x") == [1]
    assert rig.got(wire.Ear, b"x")[-1].mode == "off"


def test_events_tell_the_times_of_the_sound_itself():
    rig = Ear(b"x")
    rig.start()
    rig.stop()
    assert rig.got(wire.UserStarted, b"x") == [wire.UserStarted(utterance=1, at_ns=5, confidence=0.75)]
    assert rig.got(wire.UserStopped, b"x") == [wire.UserStopped(utterance=1, at_ns=9, started_at_ns=5, confidence=0.5)]


def test_a_preroll_reaches_each_once():
    """While somebody wants all sound, the ear sends it as it comes, and then once more as the pre-roll."""
    rig = Ear(b"x", b"all")
    rig.say(wire.Listen(mode="always"), client=b"all")
    for seq in (1, 2, 3, 4):
        rig.block(speech=False, seq=seq)
    for seq in (2, 3, 4, 5):
        rig.block(speech=True, seq=seq)
    assert rig.seqs(b"x") == [2, 3, 4, 5]
    assert rig.seqs(b"all") == [1, 2, 3, 4, 5]


def test_an_ear_that_counts_anew_is_heard():
    rig = Ear(b"x")
    rig.block(seq=5000)
    rig.ear_health(pid=8)
    rig.block(seq=1)
    assert rig.seqs(b"x") == [5000, 1]


def test_sound_between_utterances_goes_only_to_those_who_want_all():
    """The ear marks a pre-roll as speech; nothing else before an utterance is for those who get utterances."""
    rig = Ear(b"x")
    rig.block(speech=False)
    rig.block(speech=True)
    assert rig.seqs(b"x") == [2]


def test_each_gets_its_encoding_and_the_ear_is_told_which_are_wanted():
    rig = Ear()
    rig.listener(b"o", encoding="opus")
    rig.listener(b"s", mode="always")
    assert rig.orders() == ear_bus.EarOrders(encodings=("s16le", "opus"), always=True)
    rig.block(encoding="opus", payload=b"packet")
    rig.block(encoding="s16le", seq=1)
    assert [(owner, payload) for owner, _, payload in rig.sounds] == [(b"o", b"packet"), (b"s", BLOCK)]
    rig.voice.left(b"s")
    rig.step(5)
    assert rig.orders() == ear_bus.EarOrders(encodings=("opus",))
    rig.voice.left(b"o")
    rig.step(5)
    assert rig.orders() == ear_bus.EarOrders()


def test_an_encoding_that_nobody_speaks_is_refused_with_those_that_are_spoken(monkeypatch):
    rig = Ear()
    rig.hello()
    rig.say(wire.Listen(encoding="mp3"))
    assert rig.errors() == ["unsupported_encoding"]
    monkeypatch.setattr("mien.voice.codec.spoken_encodings", lambda: ("s16le",))
    rig.say(wire.Listen(encoding="opus"))
    assert "libopus0" in rig.got(wire.Error)[-1].message
    assert rig.got(wire.Ear) == []


def test_a_client_that_does_not_read_loses_sound_and_is_told_but_loses_no_event():
    rig = Ear(b"slow", b"quick")
    rig.full = {b"slow"}
    rig.step(2000)
    for _ in range(3):
        rig.block()
    rig.start()
    assert rig.got(wire.UserStarted, b"slow")
    told = rig.got(wire.Ear, b"slow")[-1]
    assert (told.dropped, told.state) == (1, "ok")
    rig.step(1000)
    rig.block()
    assert rig.got(wire.Ear, b"slow")[-1].dropped == 4
    rig.full = set()
    rig.block()
    rig.block()
    assert [message.dropped for owner, message, _ in rig.sounds if owner == b"slow"] == [4, 4]
    assert rig.seqs(b"quick") == [1, 2, 3, 4, 5, 6]
    assert rig.counters["near_end_dropped"] == 4
    rig.say(wire.Listen(), client=b"slow")
    rig.block()
    assert rig.sounds[-2][1].dropped == rig.sounds[-1][1].dropped == 0


def test_losses_are_told_once_a_second_and_not_with_each_block():
    rig = Ear(b"slow")
    rig.full = {b"slow"}
    rig.step(1000)
    answers = len(rig.got(wire.Ear, b"slow"))
    for _ in range(100):
        rig.block()
        rig.step(20)
    assert len(rig.got(wire.Ear, b"slow")) - answers == 2


LISTENER, OBSERVER, AGENT = (allowed_roles(f"{role}/eve") for role in ("listener", "observer", "agent"))


@pytest.mark.parametrize(
    ("role", "allowed", "configured", "may"),
    [
        ("speaker", LOCAL, False, True),
        ("agent", AGENT, False, True),
        ("observer", LOCAL, False, False),
        ("observer", LOCAL, True, True),
        ("observer", LISTENER, False, False),
        ("observer", LISTENER, True, True),
        ("observer", OBSERVER, True, False),
        ("observer", AGENT, True, False),
    ],
)
def test_who_may_listen(role, allowed, configured, may):
    rig = Ear(ear={"observers_may_listen": configured})
    rig.allowed[b"e"] = allowed
    rig.hello(client=b"e", role=role)
    rig.say(wire.Listen(), client=b"e")
    rig.block()
    assert bool(rig.sounds) is may
    assert rig.errors(b"e") == ([] if may else ["not_allowed"])
    if not may:
        said = rig.got(wire.Error, b"e")[0].message
        assert "ear.observers_may_listen = true" in said or "--role listener" in said


def test_the_key_of_a_listener_permits_to_watch_and_nothing_more():
    assert LISTENER.roles == {"observer"}


def test_whoever_may_not_listen_may_say_off():
    rig = Ear()
    rig.hello(role="observer")
    rig.say(wire.Listen(mode="off"))
    assert rig.errors() == []
    assert rig.state(b"a") == "ok"


def test_a_session_that_is_opened_again_does_not_listen():
    rig = Ear(b"x")
    rig.hello(client=b"x", role="agent")
    rig.block()
    assert rig.seqs(b"x") == []


def test_one_who_listens_or_mutes_does_not_give_way():
    rig = Ear(b"x")
    rig.hello(client=b"m")
    rig.say(wire.Mute(), client=b"m")
    has_part = rig.voice.admission._has_part
    assert [has_part(rig.voice.sessions.find(client)) for client in (b"x", b"m")] == [True, True]
    rig.say(wire.Unmute(), client=b"m")
    assert not has_part(rig.voice.sessions.find(b"m"))


def test_mute_stops_everything_at_once_and_ends_when_the_last_client_unmutes():
    rig = Ear(b"x", b"m")
    rig.say(wire.Mute(), client=b"m")
    rig.say(wire.Mute(), client=b"x")
    assert rig.orders().muted
    assert rig.state(b"x") == rig.state(b"m") == "muted"
    assert "client" in rig.got(wire.Ear, b"x")[-1].why
    rig.block()
    rig.start()
    assert rig.sounds == []
    assert rig.got(wire.UserStarted, b"x") == []
    rig.say(wire.Unmute(), client=b"x")
    assert rig.orders().muted
    rig.voice.left(b"m")
    rig.step(5)
    assert not rig.orders().muted
    assert rig.state(b"x") == "ok"
    rig.block()
    assert rig.seqs(b"x") == [2]


def test_a_mute_ends_with_the_role_that_permitted_it():
    rig = Ear(b"x")
    rig.say(wire.Mute(), client=b"x")
    rig.hello(client=b"x", role="observer")
    rig.step(5)
    assert not rig.orders().muted


def test_an_observer_may_not_mute():
    rig = Ear()
    rig.hello(role="observer")
    rig.say(wire.Mute())
    rig.say(wire.Unmute())
    assert rig.errors() == ["not_allowed", "not_allowed"]


def test_the_mute_of_the_configuration_is_not_lifted_by_a_client():
    rig = Ear(b"x", ear={"muted": True})
    assert rig.state(b"x") == "muted"
    rig.say(wire.Mute(), client=b"x")
    rig.say(wire.Unmute(), client=b"x")
    assert rig.errors(b"x") == ["not_allowed"]
    assert "ear.muted = false" in rig.got(wire.Error, b"x")[0].message
    rig.step(5)
    rig.block()
    assert rig.sounds == []
    assert not rig.orders().muted  # what a client did is withdrawn all the same


def test_every_change_of_state_is_told_once_with_its_reason_and_counters():
    rig = Ear(b"x")
    rig.ear_health("no_card", why="plug it in", counters={"gaps": 2})
    rig.ear_health("no_card", why="plug it in", counters={"gaps": 3})
    rig.ear_health("ok", counters={"gaps": 3})
    answers = [(m.state, m.why, m.counters) for m in rig.got(wire.Ear, b"x")]
    assert answers == [("ok", "", {}), ("no_card", "plug it in", {"gaps": 2}), ("ok", "", {"gaps": 3})]


def test_an_ear_is_absent_after_three_seconds_without_a_report():
    rig = Ear(b"x")
    rig.step(2900)
    assert rig.state(b"x") == "ok"
    rig.step(1200)
    assert rig.state(b"x") == "absent"
    assert rig.counters["ears_lost"] == 1
    rig.block()
    rig.start()
    assert rig.sounds == []
    assert rig.got(wire.UserStarted, b"x") == []
    assert rig.counters["ear_stale"] == 2
    rig.ear_health()
    assert rig.state(b"x") == "ok"


def test_orders_go_out_on_every_change_and_once_a_second():
    rig = Ear()
    before = len(rig.to_ear)
    rig.step(3000)
    assert len([entry for entry in rig.to_ear[before:] if isinstance(entry[0], ear_bus.EarOrders)]) == 3
    rig.voice.ear_joined()
    assert rig.to_ear[-1] == (ear_bus.EarOrders(),)
    rig.listener(b"x")
    assert rig.to_ear[-1] == (ear_bus.EarOrders(encodings=("s16le",)),)


def test_the_face_is_told_when_sound_leaves_when_it_is_muted_and_when_the_customer_speaks():
    rig = Ear(b"x")
    assert rig.signs() == []
    rig.start()
    rig.stop()
    rig.say(wire.Listen(mode="always"), client=b"x")
    rig.say(wire.Mute(), client=b"x")
    rig.say(wire.Unmute(), client=b"x")
    rig.say(wire.Listen(mode="off"), client=b"x")
    rig.start(2)
    rig.ear_health("muted", why="the key")
    assert rig.signs() == [
        (True, False, True),
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (True, False, False),
        (False, False, False),
        (False, False, True),
        (False, True, True),
    ]


def test_the_face_shows_a_live_microphone_while_its_sound_is_recorded():
    rig = Ear()
    rig.ear_health(recording=True)
    rig.ear_health("no_card", recording=True)
    rig.ear_health(recording=True)
    rig.ear_health("muted", recording=True)
    rig.ear_health(recording=False)
    assert rig.signs() == [(True, False, False), NOTHING, (True, False, False), (False, True, False), NOTHING]


def test_a_face_that_joins_is_told_and_one_learns_that_the_ear_is_gone():
    rig = Ear(b"x")
    rig.start()
    rig.voice.joined()
    assert rig.signs() == [(True, False, True)] * 2
    rig.step(4000)
    assert rig.signs()[-1] == (False, False, False)


def test_the_session_log_has_each_event_once_and_no_sound():
    lines = []

    class Store:
        def line(self, line):
            lines.append(json.loads(line))

        def audio(self, key, rate_hz, pcm):
            raise AssertionError("sound of the customer was recorded")

    rig = Ear(b"x", b"y", store=Store(), keep_audio=True)
    rig.start()
    rig.block()
    rig.stop()
    from_ear = [line for line in lines if line["client"] == "mien-ear"]
    assert [(line["type"], line["way"], line["session"]) for line in from_ear] == [
        ("user_started", "in", ""),
        ("user_stopped", "in", ""),
    ]
    assert from_ear[1]["started_at_ns"] == 5
    assert "near_end" not in [line["type"] for line in lines]
    assert [line["type"] for line in lines].count("user_started") == 1
    assert [line["type"] for line in lines if line["client"] == "client"].count("listen") == 2


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b""],
        [b"\x09"],
        [b"\x01\x93"],
        [ear_bus.encode(ear_bus.EarOrders())],
        [ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="s16le", speech=True))],
        [ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="s16le", speech=True)), BLOCK[1:]],
        [ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="s16le", speech=True)), BLOCK, BLOCK],
        [ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="opus", speech=True)), b""],
        [ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="opus", speech=True)), bytes(8000)],
        [ear_bus.encode(ear_bus.UserStarted(utterance=1, at_ns=1, confidence=1.0)), BLOCK],
        [ear_bus.encode(ear_bus.UserStarted(utterance=0, at_ns=1, confidence=1.0))],
        [ear_bus.encode(ear_bus.UserStarted(utterance=1, at_ns=1, confidence=float("nan")))],
        [ear_bus.encode(ear_bus.UserStopped(utterance=1, at_ns=1, started_ns=0, confidence=1.5))],
    ],
)
def test_a_bad_report_is_counted_and_changes_nothing(frames):
    rig = Ear(b"x")
    rig.voice.hear(frames)
    assert rig.counters["ear_refused"] == 1
    assert rig.sounds == []
    assert rig.got(wire.UserStarted, b"x") == rig.got(wire.UserStopped, b"x") == []


def test_the_line_for_systemd_names_the_ear_where_there_is_one():
    rig = Ear()
    assert ", ear ok" in rig.voice.status
    rig.step(4100)
    assert "ear" not in rig.voice.status


def test_a_session_that_is_replaced_listens_no_more():
    rig = Ear(b"x")
    name = rig.got(wire.Welcome, b"x")[0].session
    rig.hello(client=b"y", replaces=name)
    rig.step(5)
    assert rig.orders() == ear_bus.EarOrders()
    rig.block()
    assert rig.sounds == []


@pytest.mark.parametrize("mode", ["speech", "always", "off"])
def test_the_answer_names_the_mode_that_holds(mode):
    rig = Ear(b"x")
    rig.say(wire.Listen(mode=mode), client=b"x")
    assert rig.got(wire.Ear, b"x")[-1].mode == mode


@pytest.mark.parametrize(
    "frames",
    [
        [ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="s16le", speech=True)), BLOCK],
        [ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="opus", speech=True)), b"x"],
        [ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="opus", speech=True)), bytes(MAX_PACKET_BYTES)],
        [ear_bus.encode(ear_bus.UserStarted(utterance=1, at_ns=1, confidence=0.0))],
        [ear_bus.encode(ear_bus.UserStarted(utterance=1, at_ns=1, confidence=1.0))],
        [ear_bus.encode(ear_bus.UserStopped(utterance=1, at_ns=1, started_ns=0, confidence=1.0))],
    ],
)
def test_the_ends_of_what_a_report_may_be_are_taken(frames):
    rig = Ear(b"x")
    rig.voice.hear(frames)
    assert rig.counters["ear_refused"] == 0


@pytest.mark.parametrize("size", [0, MAX_PACKET_BYTES + 1])
def test_a_packet_has_a_byte_and_no_more_than_a_packet_may(size):
    rig = Ear(b"x")
    rig.voice.hear([ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="opus", speech=True)), bytes(size)])
    assert rig.counters["ear_refused"] == 1


@pytest.mark.parametrize("report", ["block", "start", "stop"])
def test_what_an_ear_that_is_gone_left_in_the_socket_is_not_heard(report):
    rig = Ear(b"x")
    rig.voice.ear.every_second(rig.clock.now_ns() + 3 * 10**9)
    getattr(rig, report)()
    assert rig.counters["ear_stale"] == 1
    assert (rig.sounds, rig.got(wire.UserStarted, b"x"), rig.got(wire.UserStopped, b"x")) == ([], [], [])


def test_another_ear_ends_what_the_customer_said_to_the_first():
    rig = Ear(b"x")
    rig.start(utterance=3)
    rig.ear_health()
    assert rig.signs()[-1] == (True, False, True)
    rig.ear_health(pid=8)
    assert rig.signs()[-1] == NOTHING
    rig.stop(utterance=3)
    assert rig.got(wire.UserStopped, b"x") == []


def test_an_ear_is_there_for_three_seconds_to_the_nanosecond():
    rig = Ear(b"x")
    seen_ns = rig.clock.now_ns()
    rig.voice.ear.every_second(seen_ns + 3 * 10**9 - 1)
    assert rig.voice.ear.present
    rig.voice.ear.every_second(seen_ns + 3 * 10**9)
    assert not rig.voice.ear.present
    assert rig.counters["ears_lost"] == 1
    assert rig.state(b"x") == "absent"


def test_a_report_says_whether_the_voice_should_step():
    """Sound alone wakes nobody."""
    rig = Ear(b"x")
    near_end = ear_bus.encode(ear_bus.NearEnd(seq=1, at_ns=1, encoding="s16le", speech=True))
    started = ear_bus.encode(ear_bus.UserStarted(utterance=1, at_ns=1, confidence=1.0))
    now_ns = rig.clock.now_ns()
    assert rig.voice.ear.hear([near_end, BLOCK], now_ns) is False
    assert rig.voice.ear.hear([b"bad"], now_ns) is False
    assert rig.voice.ear.hear([started], now_ns) is True


def test_a_flood_of_bad_reports_is_a_few_lines(caplog):
    rig = Ear(b"x")
    for _ in range(100):
        rig.voice.hear([b"bad"])
    assert rig.counters["ear_refused"] == 100
    assert len([line for line in caplog.messages if "bus has version" in line]) == 5
