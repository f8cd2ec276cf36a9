"""Shapes by the names of morph targets: spellings, halves, substitutes."""

import pytest

from mien.avatar.bake.names import arkit_name, match


def test_halves_of_a_shape_add_up_only_where_the_whole_is_missing() -> None:
    halves = ["cheekPuff_L", "cheekPuff_R"]
    assert match(halves, {})["cheekPuff"] == [("cheekPuff_L", 1.0, 0), ("cheekPuff_R", 1.0, 0)]
    assert match(["nothing of a face"], {}) == {}
    for names in (["cheekPuff", *halves], [*halves, "cheekPuff"]):
        assert match(names, {})["cheekPuff"] == [("cheekPuff", 1.0, 0)]


def test_the_first_spelling_counts_and_own_targets_before_expressions() -> None:
    found = match(["jawOpen", "jaw_open"], {"jawOpen": [("other", 0.5)], "tongueOut": [("tongue", 0.5)]})
    assert found["jawOpen"] == [("jawOpen", 1.0, 0)]
    assert found["tongueOut"] == [("tongue", 0.5, 0)]


def test_a_substitute_stands_in_only_for_what_is_missing() -> None:
    found = match(["eyeBlinkLeft", "blink"], {"joy": [("cheeks", 0.5)]})
    assert found["eyeBlinkLeft"] == [("eyeBlinkLeft", 1.0, 0)]
    assert found["eyeBlinkRight"] == [("blink", 1.0, -1)]
    assert found["mouthSmileLeft"] == [("cheeks", pytest.approx(0.4), 1)]
    assert found["mouthSmileRight"] == [("cheeks", pytest.approx(0.4), -1)]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("head_eyeBlink_L", "eyeBlinkLeft"), ("blendShape1.eyeBlinkLeft", "eyeBlinkLeft"),
        ("HeadJawOpen", "jawOpen"), ("headjawopen", None), ("01jawOpen", "jawOpen"), ("face|jawOpen", "jawOpen"),
        ("cornerMouthLeft", None), ("corner_mouthLeft", "mouthLeft"), ("upperJawLeft", None), ("x_jaw_r", "jawRight"),
        ("jawr", "jawRight"), ("jawOpen2", None), ("", None),
    ],
)  # fmt: skip
def test_a_shape_behind_a_prefix_begins_a_word(name: str, shape: str | None) -> None:
    assert arkit_name(name) == shape
