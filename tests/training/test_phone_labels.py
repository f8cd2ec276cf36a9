"""festival's labels become IPA phones; unknown labels are errors."""

import pytest

from training.phones import INDEX, SILENCE, classes, from_arpabet, from_festival
from training.segments import read_segments

LABIALS = {
    "radio": ("p", "b", "m", "f", "v"),
    "italian": ("p", "b", "m", "f", "v"),
    "czech": ("p", "b", "m", "f", "v"),
    "finnish": ("p:", "b", "m:", "f", "v"),
    "hindi": ("p", "bh", "m", "f", "v"),
    "catalan": ("p", "b", "m", "f", "f"),
    "russian": ("pp", "bb", "mm", "ff", "vv"),
}


@pytest.mark.parametrize(("phoneset", "labels"), LABIALS.items())
def test_lips_are_lips_in_every_phone_set(phoneset: str, labels: tuple[str, ...]) -> None:
    wanted = [INDEX[name] for name in ("p b", "p b", "m", "f v", "f v")]
    assert [classes(from_festival(label, phoneset))[0] for label in labels] == wanted


@pytest.mark.parametrize(
    ("phoneset", "label", "kind"),
    [
        ("italian", "a1", "a"),
        ("italian", "O1", "ɔ o"),
        ("czech", "ch", "h x"),
        ("czech", "i:", "i"),
        ("finnish", "@:", "a"),
        ("hindi", "th", "t d"),
        ("catalan", "ax", "ə"),
        ("russian", "ay", "ə"),
        ("russian", "y", "i"),
        ("russian", "yy", "i"),
        ("russian", "rr", "r"),
    ],
)
def test_labels_that_look_like_another_phone(phoneset: str, label: str, kind: str) -> None:
    assert classes(from_festival(label, phoneset)) == (INDEX[kind],)


@pytest.mark.parametrize("label", ["pau", "#", "##", "_"])
def test_pauses_are_silence(label: str) -> None:
    assert classes(from_festival(label, "czech")) == (SILENCE,)


def test_an_unknown_label_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="qq9"):
        from_festival("qq9", "italian")


def test_arpabet_stress_comes_off() -> None:
    assert from_arpabet("AA1") == from_arpabet("aa")


def test_segments_follow_one_another_from_zero() -> None:
    text = "signal x\nnfields 1\n#\n\t0.2\t100\tpau\n\t0.31\t100\tm\n\t0.31\t100\tb\n\t0.5\t100\taa\n"
    assert read_segments(text, "radio") == [("", 0.0, 0.2), ("m", 0.2, 0.31), ("ɑ", 0.31, 0.5)]
