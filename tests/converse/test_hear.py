"""Guards against invented text, the features' shape, pins of weights, the customer's sound."""

import hashlib

import numpy as np
import pytest

from mien.converse.events import Quiet, SoundAgain
from mien.converse.hear import weights
from mien.converse.hear.features import _mel_filters, log_mel
from mien.converse.hear.guards import guarded, max_tokens, repeats
from mien.converse.near_sound import NearSound
from mien.errors import ConverseError

MS = 1_000_000


def guard(text, *, no_speech=0.05, logprob=-0.2, seconds=2.0):
    return guarded(text, language="en", no_speech=no_speech, logprob=logprob, seconds=seconds)


def test_plain_speech_passes():
    found = guard(" Where is  the toilet? ")
    assert (found.text, found.unclear) == ("Where is the toilet?", False)


@pytest.mark.parametrize("text", ["", " ", "[BLANK_AUDIO]", "(coughing)", "*music*", "♪ la la ♪", "..."])
def test_sounds_are_no_text(text):
    assert guard(text).text == ""


def test_what_whisper_invents_from_noise_is_dropped_but_not_what_was_clearly_said():
    assert guard("Thanks for watching!", no_speech=0.5).text == ""
    assert guard("Thank you.", logprob=-0.8).text == ""
    assert guard("Thank you.").text == "Thank you."
    assert guard("Where is it?", no_speech=0.9, logprob=-1.4).text == ""


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("the the the the the", {}),
        ("go to the go to the go to the go to the", {}),
        ("mumble", {"logprob": -1.2}),
        ("ten words in less than a second cannot have been said", {"seconds": 0.5}),
    ],
)
def test_what_was_probably_misheard_is_unclear(text, options):
    assert guard(text, **options).unclear


def test_repetitions_of_groups_are_counted():
    assert repeats(["a", "b", "a", "b", "a", "b"]) == 3
    assert repeats(["no", "no"]) == 2
    assert repeats(["how", "much", "is", "it"]) == 1


def test_the_length_of_a_text_is_capped_by_the_sound():
    assert max_tokens(2.0) == 20


def test_features_of_a_tone_are_loudest_where_it_is():
    time_s = np.arange(16000) / 16000
    tone = (np.sin(2 * np.pi * 1000 * time_s) * 20000).astype("<i2").tobytes()
    features = log_mel(tone, 2.0)
    assert features.shape == (80, 200)
    assert features.dtype == np.float32
    middle = features[:, 50]
    assert 24 <= int(middle.argmax()) <= 28, "1 kHz lies at a third of the mel scale to 8 kHz"
    assert features[:, 150].max() < middle.max() - 1, "the second half is silence"


def test_weights_that_are_not_those_of_the_pin_are_refused(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(b"something else")
    with pytest.raises(ConverseError, match="is not the file that mien was tested with"):
        weights.check(file, weights.PACKAGED["tiny.en"])


def test_weights_in_pieces_are_joined_once(tmp_path):
    pieces = [tmp_path / "model.bin.part1", tmp_path / "model.bin.part2"]
    for piece, data in zip(pieces, (b"one", b"two"), strict=True):
        piece.write_bytes(data)
    for name in weights.BESIDE:
        (tmp_path / name).write_text("{}")
    pin = weights.Packaged("converse-base", (), hashlib.sha256(b"onetwo").hexdigest())
    folder = weights.join(pieces, pin, tmp_path / "joined")
    assert (folder / "model.bin").read_bytes() == b"onetwo"
    pieces[0].unlink()
    assert weights.join(pieces, pin, tmp_path / "joined") == folder
    (folder / "model.bin").write_bytes(b"damaged")
    with pytest.raises(ConverseError, match=r"delete it, then pip install --force-reinstall 'mien.converse-base.'"):
        weights.join(pieces, pin, tmp_path / "joined")


def test_a_model_that_is_nowhere(tmp_path):
    with pytest.raises(ConverseError, match=r"converse\.hear_model: .* is neither tiny\.en nor base"):
        weights.find_weights(str(tmp_path))


class TestNearSound:
    def fed(self, sound, levels, at_ns=0):
        changes = []
        for number, level in enumerate(levels):
            pcm = np.full(320, level, "<i2").tobytes()
            changes.append(sound.add(at_ns + number * 20 * MS, pcm))
        return changes

    def test_quiet_is_told_once_after_120_ms_with_the_last_sound(self):
        changes = self.fed(NearSound(), [3000] * 10 + [20] * 20)
        told = [(number, change) for number, change in enumerate(changes) if change]
        assert told == [(15, Quiet(200 * MS))]

    def test_a_short_gap_within_a_word_is_not_told(self):
        assert not any(self.fed(NearSound(), [3000] * 10 + [20] * 5 + [3000] * 5))

    def test_sound_after_quiet_is_told(self):
        changes = self.fed(NearSound(), [3000] * 10 + [20] * 10 + [3000] * 2)
        assert [change for change in changes if change] == [Quiet(200 * MS), SoundAgain()]

    def test_a_room_s_noise_beneath_the_voice_counts_as_quiet(self):
        assert any(isinstance(change, Quiet) for change in self.fed(NearSound(), [8000] * 10 + [300] * 12))

    def test_a_piece_of_the_sound_and_a_gap_in_it(self):
        sound = NearSound()
        sound.add(0, b"\x01" * 640)
        sound.add(60 * MS, b"\x02" * 640)
        assert sound.between(0, 80 * MS) == b"\x01" * 640 + bytes(1280) + b"\x02" * 640
        assert sound.between(50 * MS, 80 * MS) == b"\x02" * 640


def test_features_of_a_window_are_those_of_a_tone():
    at = np.arange(32_000) / 16_000
    features = log_mel((8000 * np.sin(2 * np.pi * 1000 * at)).astype("<i2").tobytes(), 15.0)
    assert features.shape == (80, 1500)
    loudest = int(features[:, 50].argmax())
    bins = np.fft.rfftfreq(400, 1 / 16_000)
    assert bins[_mel_filters(80)[loudest].argmax()] == pytest.approx(1000, abs=60)
    assert features[:, 400:].max() == pytest.approx(features.min())  # the padding is silence


def test_the_mel_filters_overlap_and_have_equal_areas():
    filters = _mel_filters(80)
    assert filters.shape == (80, 201)
    assert (filters >= 0).all()
    # Below 1 kHz filters are 37.2 Hz apart, narrower than a bin, so only the wider ones above can be checked.
    assert filters[40:].sum(axis=1) * 40 == pytest.approx(1, rel=0.1)
