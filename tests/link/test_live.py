"""What watchers get: by leases, each stream in its own form, nothing unasked."""

import msgspec
import pytest

from mien.client import Disconnected, HeardSpeech, NearEnd, Poses
from mien.core import wire
from mien.core.pose_frames import CHANNELS, PoseFrame, encode_frames
from mien.fleet.command import CaptionLine, Watch
from mien.fleet.packets import decode_pose_batch, decode_sound
from mien.fleet.topics import STREAMS
from mien.link.live import LiveStreams

PACKET = b"\x48packet"
ALL = frozenset(STREAMS)
UTC_MS = 1_800_000_000_000


def make(allowed=ALL):
    return LiveStreams(allowed=allowed, utc_ms=lambda ns: UTC_MS + ns // 1_000_000)


def watch(live, *streams, user="ada", for_s=20.0, now_s=0.0, may_listen=False):
    return live.watch(user, Watch(streams=streams, for_s=for_s), may_listen=may_listen, now_s=now_s)


def pose(seq=0, *, key=True, data=None, ms=0):
    data = data or encode_frames((PoseFrame(0, dict.fromkeys(range(CHANNELS), 7)),))
    return Poses(seq=seq, at_ns=ms * 1_000_000, key=key, dropped=0, data=data)


def heard(number, *, first=False, last=False, data=PACKET):
    at_ns = number * 20_000_000
    return HeardSpeech(seq=number, at_ns=at_ns, first=first, last=last, dropped=0, data=data)


def near(seq):
    return NearEnd(seq=seq, at_ns=seq * 20_000_000, speech=True, dropped=0, data=PACKET)


def told(live, *messages):
    return [publication for message in messages for publication in live.on_event(message, 0)]


def test_nothing_is_asked_or_published_while_nobody_watches():
    live = make()
    said = wire.Said(client="bot", turn="t", text="Hello")
    assert told(live, pose(), heard(0, first=True), near(0), said) == []
    assert (live.orders.number, live.orders.topics, live.orders.listens, live.watched) == (0, frozenset(), False, False)


def test_what_is_watched_is_asked_of_the_voice_until_the_last_lease_ends():
    live = make()
    watch(live, "pose", "caption")
    watch(live, "heard", "ear", user="bob", may_listen=True, now_s=5)
    assert live.orders[1:] == ({"poses", "captions", "heard"}, True)
    assert (live.watchers, live.listeners) == (("ada", "bob"), ("bob",))
    live.step(20, 0)
    assert live.orders[1:] == ({"heard"}, True)
    live.step(25, 0)
    assert live.orders[1:] == (frozenset(), False)
    assert not live.watched


def test_a_second_watcher_of_the_pose_asks_for_a_key_batch_and_not_more_than_once_a_second():
    live = make()
    numbers = []
    for user, now_s in (("a", 0), ("b", 0.5), ("c", 1.0), ("c", 3.0)):
        watch(live, "pose", user=user, now_s=now_s)
        numbers.append(live.orders.number)
    assert numbers == [1, 1, 2, 2]


def test_a_new_session_of_the_voice_is_asked_again():
    live = make()
    limits = wire.Limits(
        max_chunk_bytes=1, max_header_bytes=1, max_buffer_ms=1, max_turn_ms=1, max_turns=1, turn_idle_timeout_ms=1
    )
    welcome = wire.Welcome(session="s", protocol=1, version="", capabilities=(), rates_hz=(), limits=limits)
    told(live, welcome)
    assert live.orders.number == 0
    watch(live, "pose")
    told(live, welcome)
    assert live.orders.number == 2


class TestPermission:
    def test_the_ear_needs_the_configuration_and_the_role(self):
        for live, may_listen, granted in (
            (make(), True, ("ear",)),
            (make(), False, ()),
            (make(ALL - {"ear"}), True, ()),
        ):
            answer = watch(live, "ear", may_listen=may_listen)
            assert (answer.streams, answer.refused) == (granted, () if granted else ("ear",))
            assert bool(told(live, near(0), near(1), near(2))) == bool(granted)

    def test_a_refused_stream_does_not_end_what_is_watched(self):
        live = make(ALL - {"caption"})
        watch(live, "pose")
        assert watch(live, "caption").streams == ()
        assert live.watched
        assert watch(live, "caption", "heard").streams == ("heard",)
        assert live.orders.topics == {"poses", "heard"}

    def test_no_streams_end_it(self):
        live = make()
        watch(live, "pose")
        assert watch(live).streams == ()
        assert not live.watched


class TestPoses:
    def test_a_batch_becomes_a_packet_with_utc(self):
        live = make()
        watch(live, "pose")
        ((topic, payload),) = told(live, pose(65_536 + 7, ms=1234))
        assert topic == "live/pose"
        batch = decode_pose_batch(payload)
        assert (batch.seq, batch.shown_ms, batch.key, batch.frames[0].whole) == (7, UTC_MS + 1234, True, True)

    def test_what_no_packet_can_hold_is_dropped_and_counted(self):
        live = make()
        watch(live, "pose")
        assert told(live, pose(data=bytes(5000))) == []
        assert live.dropped == 1


class TestSound:
    def sounds(self, publications, topic="heard"):
        assert {each.topic for each in publications} <= {f"live/{topic}"}
        return [decode_sound(each.payload) for each in publications]

    def test_three_packets_a_message_and_the_ends_of_a_stretch(self):
        live = make()
        watch(live, "heard")
        stretch = [heard(0, first=True), *[heard(number) for number in range(1, 7)], heard(7, last=True)]
        made = self.sounds(told(live, *stretch))
        assert [(s.seq, s.at_ms - UTC_MS, len(s.packets), s.first, s.last) for s in made] == [
            (0, 0, 3, True, False),
            (1, 60, 3, False, False),
            (2, 120, 2, False, True),
        ]

    def test_the_next_stretch_begins_anew(self):
        live = make()
        watch(live, "heard")
        told(live, heard(0, first=True), heard(1, last=True))
        (sound,) = self.sounds(told(live, heard(50, first=True), heard(51), heard(52)))
        assert (sound.seq, sound.first, sound.at_ms - UTC_MS) == (1, True, 1000)

    def test_who_begins_to_watch_in_mid_speech_gets_a_stretch(self):
        live = make()
        watch(live, "heard")
        (sound,) = self.sounds(told(live, heard(5), heard(6), heard(7)))
        assert sound.first

    def test_a_gap_in_time_begins_a_message(self):
        live = make()
        watch(live, "heard")
        made = self.sounds(told(live, heard(0, first=True), heard(1), heard(4), heard(5), heard(6)))
        assert [(s.at_ms - UTC_MS, len(s.packets)) for s in made] == [(0, 2), (80, 3)]

    def test_what_waits_for_others_leaves_within_100_ms(self):
        live = make()
        watch(live, "heard")
        assert told(live, heard(0, first=True)) == []
        assert live.step(0.1, 100_000_000) == []
        (sound,) = self.sounds(live.step(0.11, 101_000_000))
        assert len(sound.packets) == 1
        assert live.step(0.3, 300_000_000) == []

    def test_the_ear_goes_its_own_way(self):
        live = make()
        watch(live, "ear", may_listen=True)
        made = self.sounds(told(live, *[near(number) for number in range(6)]), "ear")
        assert [(len(s.packets), s.first) for s in made] == [(3, True), (3, False)]
        told(live, near(6), Disconnected(why=""))
        (sound,) = self.sounds(told(live, near(10), near(11), near(12)), "ear")
        assert (sound.first, sound.at_ms - UTC_MS) == (True, 200)

    def test_a_packet_of_another_length_is_dropped_and_counted(self):
        live = make()
        watch(live, "heard")
        made = told(live, *[heard(number, data=b"\x4a" + b"40 ms") for number in range(3)])
        assert made == []
        assert live.dropped == 1

    def test_a_stream_that_ends_and_begins_leaves_nothing_of_before(self):
        live = make()
        watch(live, "heard")
        told(live, heard(0, first=True), heard(1))
        watch(live)
        watch(live, "heard", now_s=2)
        (sound,) = self.sounds(told(live, heard(100), heard(101), heard(102)))
        assert (sound.first, sound.at_ms - UTC_MS) == (True, 2000)


class TestCaptions:
    def lines(self, live, *messages):
        return [msgspec.json.decode(each.payload, type=CaptionLine) for each in told(live, *messages)]

    def status(self, turn="t", played_ms=40.0, floor=""):
        return wire.Status(
            phase="speaking", client="bot", turn=turn, played_ms=played_ms, state="idle", emotion="neutral", floor=floor
        )

    def outcome(self, turn="t", played_ms=900.0):
        fields = {"interrupted": False, "reason": "played", "words_heard": 0, "last_word": ""}
        return wire.Outcome(client="bot", turn=turn, played_ms=played_ms, **fields)

    def test_a_turn_from_its_text_to_its_end(self):
        live = make()
        watch(live, "caption")
        said = wire.Said(client="bot", turn="t", text="Good day", words=(wire.Word("Good", 0, 90),))
        more = wire.Said(client="bot", turn="t", text=" to you", append=True)
        lines = self.lines(live, said, more, self.status(), self.status(played_ms=90.0), self.outcome())
        assert [(line.text, line.heard_ms, line.final) for line in lines] == [
            ("Good day", 0.0, False),
            ("Good day to you", 0.0, False),
            ("Good day to you", 40.0, False),
            ("Good day to you", 900.0, True),
        ]
        assert {(line.who, line.turn, line.at, line.words) for line in lines} == {
            ("kiosk", "t", UTC_MS / 1000, (("Good", 0, 90),))
        }

    def test_text_without_append_replaces(self):
        live = make()
        watch(live, "caption")
        lines = self.lines(live, *[wire.Said(client="bot", turn="t", text=text) for text in ("one", "two")])
        assert lines[-1].text == "two"

    def test_who_joins_in_mid_turn_gets_the_rest_with_the_whole_text(self):
        live = make()
        told(live, wire.Said(client="bot", turn="t", text="Good day"))
        watch(live, "caption")
        assert [line.text for line in self.lines(live, self.status())] == ["Good day"]

    def test_of_who_holds_the_floor_it_is_the_agent(self):
        live = make()
        watch(live, "caption")
        told(live, wire.Floor(holder="bot", why="taken"))
        assert self.lines(live, wire.Said(client="bot", turn="t", text="x"))[0].who == "agent"

    def test_turns_without_text_are_no_lines(self):
        live = make()
        watch(live, "caption")
        assert told(live, self.status(), self.outcome()) == []

    @pytest.mark.parametrize("characters", [3999, 4001, 20_000])
    def test_the_text_of_a_turn_is_bounded(self, characters):
        live = make()
        watch(live, "caption")
        piece = wire.Said(client="bot", turn="t", text="x" * 1000, append=True)
        lines = self.lines(live, *[piece] * (characters // 1000 + 1))
        assert max(len(line.text) for line in lines) <= 4000

    def test_of_many_turns_the_newest_are_known(self):
        live = make()
        watch(live, "caption")
        told(live, *[wire.Said(client="bot", turn=f"t{number}", text="x") for number in range(20)])
        assert told(live, self.outcome("t0")) == []
        assert len(told(live, self.outcome("t19"))) == 1
