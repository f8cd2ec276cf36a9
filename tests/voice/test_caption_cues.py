"""What the face is told of captions, on a manual clock."""

import gc
import tracemalloc

import pytest

from mien.core import bus, wire
from mien.voice.caption_cues import CUE_BYTES, CUE_BYTES_A_SECOND
from mien.voice.captions import BYTES_EACH, WORD_BYTES, cost
from rigs.voice_rig import VoiceRig

pytestmark = pytest.mark.usefixtures("any_device")

WORDS = (wire.Word("Good", 0, 200), wire.Word("day", 220, 400))


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    return rig


def cues(rig):
    return [message for message in rig.published if isinstance(message, bus.CaptionCue)]


def test_a_cue_has_text_words_place_and_length(rig):
    rig.say(wire.Caption(turn="t", text="Good day", words=WORDS))
    rig.step(50)
    assert cues(rig) == []  # no such turn yet
    rig.speak(ms=500)
    rig.step(50)
    (cue,) = cues(rig)
    assert (cue.turn, cue.text, cue.turn_start_ns, cue.length_ms) == ("t", "Good day", 0, 500)
    assert cue.words == (("Good", 0, 200), ("day", 220, 400))
    assert cue.epoch == rig.playback.epoch


def test_it_is_told_once_and_again_only_when_something_changes(rig):
    rig.say(wire.Caption(turn="t", text="Good "))
    rig.speak(ms=2000, end=False)
    rig.step(300)
    assert len(cues(rig)) == 1
    assert cues(rig)[0].length_ms == 0
    rig.say(wire.Caption(turn="t", text="day", append=True))
    rig.step(300)
    assert [cue.text for cue in cues(rig)] == ["Good ", "Good day"]
    rig.say(wire.End(turn="t"))
    rig.step(300)
    assert (len(cues(rig)), cues(rig)[-1].length_ms) == (3, 2000)


def test_a_later_turn_comes_with_its_place_shortly_before_it_is_heard(rig):
    for name in ("one", "two"):
        rig.say(wire.Caption(turn=name, text=name))
        rig.speak(name, ms=1500)
    rig.step(200)
    assert [cue.turn for cue in cues(rig)] == ["one"]
    rig.step(700)
    assert [(cue.turn, cue.turn_start_ns) for cue in cues(rig)] == [("one", 0), ("two", 1_500_000_000)]


def test_an_interrupted_turn_is_not_told_of_again_and_the_new_epoch_has_the_next(rig):
    rig.say(wire.Caption(turn="t", text="Good day"))
    rig.speak(ms=2000)
    rig.step(500)
    rig.say(wire.Interrupt(turn="t"))
    rig.say(wire.Caption(turn="u", text="Sorry"))
    rig.speak("u", ms=500)
    rig.step(500)
    assert [(cue.turn, cue.epoch) for cue in cues(rig)] == [("t", rig.playback.epoch - 1), ("u", rig.playback.epoch)]


def test_a_takeover_tells_of_the_agents_turn_and_later_again_of_the_held_one(rig):
    rig.say(wire.Hello(protocol=1, role="agent", client="Ada"), client=b"agent")
    for name in ("first", "held"):
        rig.say(wire.Caption(turn=name, text=name))
        rig.speak(name, ms=600)
    rig.step(300)
    rig.say(wire.TakeFloor(queue="hold"), client=b"agent")
    rig.say(wire.Caption(turn="first", text="a person speaks"), client=b"agent")
    rig.speak("first", ms=600, client=b"agent")
    rig.step(300)
    assert cues(rig)[-1].text == "a person speaks"
    rig.say(wire.ReleaseFloor(), client=b"agent")
    rig.step(2000)
    assert cues(rig)[-1].text == "held"


def test_a_face_that_joins_is_told_what_is_being_said(rig):
    rig.say(wire.Caption(turn="t", text="Good day"))
    rig.speak(ms=2000)
    rig.step(900)
    before = cues(rig)
    rig.voice.captions.renew()
    rig.step(20)
    assert cues(rig) == [*before, before[0]]


def test_a_turn_has_a_limited_text(rig):
    for _ in range(4):
        rig.say(wire.Caption(turn="t", text="x" * 4000, append=True))
    assert rig.errors() == []
    rig.say(wire.Caption(turn="t", text="x", append=True))
    assert rig.errors() == ["caption_too_long"]


def test_a_caption_can_be_taken_back(rig):
    rig.say(wire.Caption(turn="t", text="Good day"))
    rig.speak(ms=2000)
    rig.step(200)
    rig.say(wire.Caption(turn="t"))
    rig.step(200)
    assert [cue.text for cue in cues(rig)] == ["Good day", ""]


def words(count, letters=6, first=0):
    return tuple(wire.Word("w" * letters, 100 * number, 100 * number + 90) for number in range(first, first + count))


def caption(rig, turn, count, letters=6, *, text="", client=b"a"):
    """A whole caption, in as many messages as the header's size asks for."""
    each = max(1, 12_000 // (letters + 20))
    rig.say(wire.Caption(turn=turn, text=text), client=client)
    for at in range(0, count, each):
        rig.say(wire.Caption(turn=turn, words=words(min(each, count - at), letters, at), append=True), client=client)


class TestBounds:
    """What a face that is stopped is told waits in the voice, and so does what a client says of turns to come."""

    def test_a_flood_of_appends_is_told_ten_times_a_second_and_ends_with_the_whole(self, rig):
        rig.speak(ms=5000)
        rig.step(50)
        for number in range(400):
            rig.say(wire.Caption(turn="t", words=words(1, first=number), append=True))
            rig.step(5)
        rig.step(200)
        assert 15 <= len(cues(rig)) <= 22
        assert len(cues(rig)[-1].words) == 400

    def test_large_cues_are_told_more_rarely(self, rig):
        rig.speak(ms=20_000)
        rig.step(50)
        caption(rig, "t", 2500)
        told, seconds = len(cues(rig)), 10
        for number in range(seconds * 20):
            rig.say(wire.Caption(turn="t", words=words(1, first=2500 + number), append=True))
            rig.step(50)
        sizes = [len(bus.encode(cue)) for cue in cues(rig)[told:]]
        assert sum(sizes) <= CUE_BYTES_A_SECOND * (seconds + 4)
        assert len(sizes) >= seconds // 2
        rig.step(2000)
        assert len(cues(rig)[-1].words) == 2700

    @pytest.mark.parametrize(
        ("count", "letters", "text"),
        [
            (4000, 6, "x" * 16_000),
            (4000, 6, ""),
            (3000, 100, ""),
            (3000, 100, "y" * 16_000),
            (2000, 20, "z" * 16_000),
            (0, 1, "\U0001f600" * 16_000),
            (1000, 90, "\U0001f600" * 16_000),
        ],
    )
    def test_no_cue_is_larger_than_64_kb_and_the_text_stays_whole(self, rig, count, letters, text):
        rig.speak(ms=3000)
        for at in range(0, len(text), 3000):
            rig.say(wire.Caption(turn="t", text=text[at : at + 3000], append=True))
        for at in range(0, count, 100):
            rig.say(wire.Caption(turn="t", words=words(min(100, count - at), letters, at), append=True))
        assert rig.errors() == []
        rig.step(2500)
        cue = cues(rig)[-1]
        assert len(bus.encode(cue)) <= CUE_BYTES
        if text:
            assert cue.text == text
        elif letters == 100:
            assert len(cue.text) == wire.MAX_CAPTION_CHARACTERS
        times = [start_ms for _, start_ms, _ in cue.words]
        assert times == sorted(set(times))
        if count and len(text.encode()) < CUE_BYTES / 2:
            assert len(bus.encode(cue)) > CUE_BYTES / 3
            assert times[-1] > 100 * count * 0.8  # left out evenly, not at the end

    def test_a_clients_captions_take_a_megabyte_at_most(self, rig):
        rig.speak("said", ms=60_000)
        caption(rig, "said", 2000)
        for number in range(60):
            caption(rig, f"early{number}", 500)
            rig.step(500)
        early = rig.queue.captions._early[b"a"]
        assert list(early) == [f"early{number}" for number in range(60 - len(early), 60)]
        held = sum(map(cost, early.values())) + cost(rig.queue.find(b"a", "said").caption)
        assert BYTES_EACH * 0.85 < held <= BYTES_EACH
        assert rig.errors() == []

    def test_words_of_turns_that_are_spoken_do_not_give_way(self, rig):
        rig.speak("one", ms=20_000)
        rig.speak("two", ms=500)
        caption(rig, "one", 3000)
        caption(rig, "two", 3000)
        error = rig.got(wire.Error)[0]
        assert (error.code, error.turn, error.retryable) == ("caption_too_long", "two", True)
        assert "when a turn has finished" in error.message
        assert len(rig.queue.find(b"a", "one").caption.words) == 3000
        rig.say(wire.Interrupt(turn="one"))
        rig.step(100)
        rig.sent.clear()
        rig.speak("three", ms=500)
        caption(rig, "three", 3000)
        assert rig.errors() == []

    def test_other_clients_have_their_own_room(self, rig):
        rig.hello(client=b"b")
        for client in (b"a", b"b"):
            for number in range(20):
                caption(rig, f"early{number}", 1000, client=client)
                rig.step(500)
        assert all(sum(map(cost, early.values())) > BYTES_EACH / 2 for early in rig.queue.captions._early.values())

    def test_four_thousand_words_are_taken_and_no_more(self, rig):
        caption(rig, "t", wire.MAX_WORDS)
        assert rig.errors() == []
        rig.say(wire.Caption(turn="t", words=words(1), append=True))
        assert rig.errors() == ["caption_too_long"]
        assert "begin another turn" in rig.got(wire.Error)[0].message
        assert not rig.got(wire.Error)[0].retryable

    def test_the_reckoning_is_what_python_takes(self):
        header = wire.encode(
            wire.Caption(
                turn="t", words=tuple(wire.Word(f"word{number}", 300 + number, 600 + number) for number in range(400))
            )
        )
        gc.collect()
        tracemalloc.start()
        kept = [wire.decode_client(header) for _ in range(20)]
        used = tracemalloc.get_traced_memory()[0] / len(kept) / 400
        tracemalloc.stop()
        assert used <= WORD_BYTES + len("word100")

    def test_an_early_caption_can_be_taken_back(self, rig):
        rig.say(wire.Caption(turn="t", text="Good day"))
        rig.say(wire.Caption(turn="t"))
        rig.speak(ms=500)
        rig.step(200)
        assert cues(rig) == []


@pytest.mark.parametrize(("last", "told"), [(44, 1296), (45, 324)])
def test_words_are_left_out_only_when_not_all_of_them_fit(rig, last, told):
    """A cue's 256 bytes, and 16 of each word with its letters, are CUE_BYTES in sum, or one more."""
    texts = ["w" * letters for letters in (*[15] * 1000, *[100] * 295, last)]
    assert 256 + sum(16 + len(text) for text in texts) == CUE_BYTES + last - 44
    rig.speak(ms=3000)
    for at in range(0, len(texts), 100):
        part = tuple(wire.Word(text, at + place, at + place) for place, text in enumerate(texts[at : at + 100]))
        rig.say(wire.Caption(turn="t", words=part, append=True))
    assert rig.errors() == []
    rig.step(2500)
    assert len(cues(rig)[-1].words) == told


def test_a_face_that_joins_is_told_at_once_however_lately_another_was(rig):
    rig.say(wire.Caption(turn="t", text="hello"))
    rig.speak(ms=500)
    rig.step(5)
    assert len(cues(rig)) == 1
    rig.voice.joined()
    rig.step(5)
    assert [cue.text for cue in cues(rig)] == ["hello", "hello"]
