"""What was written to the device: runs of one kind, and where a position lies in them."""

from mien.voice.playout_log import PAST_SEGMENTS, PlayoutLog
from mien.voice.turn import Turn


def a_turn(name="t"):
    return Turn(name=name, owner=b"a", rate_hz=16000, sink_rate_hz=16000, now_ns=0)


def shape(playout_log):
    return [
        (s.start, s.frames, s.end, s.epoch, s.media_start, s.turn and s.turn.name, s.turn_start, s.audible)
        for s in playout_log.segments
    ]


def test_what_goes_on_is_one_segment_and_every_change_begins_another():
    playout_log, turn = PlayoutLog(), a_turn()
    playout_log.add(10, epoch=1, media_start=0, turn=turn)
    playout_log.add(5, epoch=1, media_start=10, turn=turn, turn_start=10)
    playout_log.add(3, epoch=2, media_start=0, turn=turn, turn_start=15)
    playout_log.add(4, epoch=2, media_start=3, turn=None)
    playout_log.add(4, epoch=2, media_start=3, turn=None)
    playout_log.add(2, epoch=2, media_start=3, turn=turn, turn_start=18, audible=False)
    playout_log.add(2, epoch=2, media_start=5, turn=turn, turn_start=20, audible=True)
    playout_log.add(1, epoch=2, media_start=7, turn=a_turn("u"))
    assert shape(playout_log) == [
        (0, 15, 15, 1, 0, "t", 0, True),
        (15, 3, 18, 2, 0, "t", 15, True),
        (18, 8, 26, 2, 3, None, 0, True),
        (26, 2, 28, 2, 3, "t", 18, False),
        (28, 2, 30, 2, 5, "t", 20, True),
        (30, 1, 31, 2, 7, "u", 0, True),
    ]
    assert playout_log.written == 31


def test_whole_segments_leave_when_their_last_frame_was_heard_and_the_rest_is_told_in_part():
    playout_log, turn = PlayoutLog(), a_turn()
    playout_log.add(10, epoch=1, media_start=0, turn=turn)
    playout_log.add(10, epoch=1, media_start=10, turn=None)
    told = [
        [(segment.start, frames) for segment, frames in playout_log.heard(position)]
        for position in (0, 1, 9, 10, 10, 11, 20, 20)
    ]
    assert told == [[], [(0, 1)], [(0, 9)], [(0, 10)], [], [(10, 1)], [(10, 10)], []]
    assert not playout_log.segments


def test_a_position_may_leap_over_several():
    playout_log, turn = PlayoutLog(), a_turn()
    for number in range(4):
        playout_log.add(5, epoch=number, media_start=0, turn=turn)
    assert [(segment.epoch, frames) for segment, frames in playout_log.heard(12)] == [(0, 5), (1, 5), (2, 2)]
    assert len(playout_log.segments) == 2


def test_speech_is_found_by_its_frame_while_it_is_heard_and_for_a_while_after():
    playout_log, t, u = PlayoutLog(), a_turn(), a_turn("u")

    def found(frame, gap=20):
        at = playout_log.speech_at(frame, gap)
        return at and (at[0].turn.name, at[0].start, at[1])

    playout_log.add(100, epoch=1, media_start=0, turn=None)
    playout_log.add(50, epoch=1, media_start=0, turn=t)
    playout_log.add(19, epoch=1, media_start=50, turn=None)  # too short to end speech
    playout_log.add(31, epoch=1, media_start=50, turn=u)
    for position in (0, 120, 160, 400):
        playout_log.heard(position)
        assert [found(frame) for frame in (99, 100, 149, 150, 168, 169, 199, 200)] == [
            None, ("t", 100, 100), ("t", 100, 100), None, None, ("u", 169, 100), ("u", 169, 100), None,
        ]  # fmt: skip
        assert found(169, gap=19) == ("u", 169, 169)
        assert found(169, gap=0) == ("u", 169, 169)


def test_what_no_device_played_was_not_heard():
    playout_log, turn = PlayoutLog(), a_turn()
    playout_log.add(50, epoch=1, media_start=0, turn=turn, audible=False)
    playout_log.add(50, epoch=1, media_start=50, turn=turn, turn_start=50)
    assert playout_log.speech_at(10, 5) is None
    segment, begun = playout_log.speech_at(60, 5)
    assert (segment.turn_start, begun) == (50, 50)


def test_no_more_than_a_few_heard_segments_are_kept():
    playout_log = PlayoutLog()
    for number in range(100):
        playout_log.add(1, epoch=number, media_start=0, turn=a_turn(str(number)))
    playout_log.heard(100)
    assert playout_log.speech_at(99, 5)[0].turn.name == "99"
    assert playout_log.speech_at(100 - PAST_SEGMENTS, 5) is not None
    assert playout_log.speech_at(99 - PAST_SEGMENTS, 5) is None
