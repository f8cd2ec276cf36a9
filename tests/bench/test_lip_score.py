"""The lip measure on faces whose figures can be told by hand, and on one whose figures another program computed."""

import numpy as np
import pytest

from mien.bench.lip_phones import SILENCE, arpabet, jaw_curve, on_grid
from mien.bench.lip_score import USED, Prompt, prompt_of, score, see

SPOKEN = [("b", 0.5, 0.6), ("a", 0.6, 0.9), ("f", 0.9, 1.0), ("i", 1.0, 1.3), ("m", 1.3, 1.4), ("u", 1.4, 1.7)]
SECONDS = 2.2


def _track() -> np.ndarray:
    return on_grid(SPOKEN, SECONDS)


def _ideal() -> dict[str, np.ndarray]:
    """Curves of a face that does what each phone asks, at once."""
    track = _track()
    curves = {name: np.zeros(len(track)) for name in USED}
    for phone, height in (("AA", 0.8), ("F", 0.1), ("IY", 0.2), ("UW", 0.2)):
        curves["jawOpen"][track == phone] = height
    curves["mouthRollLower"][track == "F"] = 0.6
    curves["mouthPucker"][track == "UW"] = 0.9
    return curves


def _prompt(curves: dict[str, np.ndarray], late_s: float = 0.0) -> Prompt:
    track = _track()
    return prompt_of(track, see(curves, np.arange(len(track)) / 100 + late_s, len(track)))


def test_a_face_that_does_what_each_phone_asks() -> None:
    result = score([_prompt(_ideal())])
    assert result.bilabials == 2
    assert result.lag_ms == 0
    good = result.delivered
    assert (good["bilabial_recall"], good["bilabial_precision"], good["fv_recall"]) == (1, 1, 1)
    assert (good["acc5"], good["bal5"], good["round_auc"], good["still"]) == (1, 1, 1, 0)
    assert good["jaw_r"] > 0.8


def test_a_closure_that_nobody_spoke_costs_precision() -> None:
    curves = _ideal()
    curves["jawOpen"][75:80] = 0.0
    assert score([_prompt(curves)]).delivered["bilabial_precision"] == 0.5  # b ends a silence, and is not counted


def test_an_approximant_may_be_shut_or_not() -> None:
    track = on_grid([("a", 0.2, 0.6), ("β", 0.6, 0.7), ("a", 0.7, 1.1)], 1.3)
    for height in (0.0, 0.5):
        curves = {"jawOpen": np.where(track == "AA", 0.8, np.where(track == "BH", height, 0.0))}
        result = score([prompt_of(track, see(curves, np.arange(len(track)) / 100, len(track)))])
        assert result.bilabials == 0
        assert result.delivered["bilabial_precision"] == (1 if height == 0 else 0)  # 0 of 0 shown


def test_lips_that_stay_open_cost_recall() -> None:
    curves = _ideal()
    curves["jawOpen"][45:66] = 0.5
    assert score([_prompt(curves)]).delivered["bilabial_recall"] == 0.5


def test_a_jaw_that_comes_late_is_told() -> None:
    result = score([_prompt(_ideal(), late_s=0.08)])
    assert result.lag_ms == 80
    assert result.lag_removed["acc5"] > result.delivered["acc5"]


def test_a_jaw_that_chatters_in_silence_is_not_still() -> None:
    curves = _ideal()
    curves["jawOpen"][:40:2] = 0.3
    assert score([_prompt(curves)]).delivered["still"] > 0.5


def test_chance_is_far_from_the_figures_of_a_good_face() -> None:
    result = score([_prompt(_ideal())])
    assert result.chance["jaw_r"] < 0.5 < result.delivered["jaw_r"]


def test_only_silence_cannot_be_scored() -> None:
    track = on_grid([], 1.0)
    with pytest.raises(ValueError, match="only silence"):
        score([prompt_of(track, see({}, np.arange(100) / 100, 100))])


def test_a_recording_shorter_than_any_lag_is_scored() -> None:
    track = on_grid([("b", 0.0, 0.05), ("a", 0.05, 0.12)], 0.12)
    curves = {"jawOpen": np.where(track == "AA", 0.8, 0.0)}
    result = score([prompt_of(track, see(curves, np.arange(12) / 100, 12)), _prompt(_ideal())])
    assert result.delivered["bilabial_recall"] == 1


def test_figures_of_a_random_face_as_the_project_s_measure_computes_them() -> None:
    """The expected figures come from ../shared/speech/lipscore.py, on the same curves and phones."""
    result = score([_random(number) for number in range(4)])
    assert result.lag_ms == EXPECTED_LAG_MS
    for name, value in EXPECTED.items():
        assert result.delivered[name] == pytest.approx(value, abs=1e-6), name


def _random(number: int) -> Prompt:
    rng = np.random.default_rng(number)
    names = ["p", "a", "m", "i", "v", "o", "SIL", "β", "tʃ", "ə", "w", "ɡ", "aɪ", "ː", "XX"]
    at = np.cumsum(np.concatenate(([0.3], rng.uniform(0.04, 0.2, 30))))
    chosen = rng.choice(names, 30)
    spoken = [(str(name), float(a), float(b)) for name, a, b in zip(chosen, at[:-1], at[1:], strict=True)]
    track = on_grid(spoken, float(at[-1]) + 0.3)
    time_s = np.arange(0, len(track) / 100, 1 / 60)
    curves = {name: np.clip(np.cumsum(rng.normal(0, 0.1, len(time_s))), 0, 1) for name in USED}
    curves["jawOpen"] *= np.interp(time_s - 0.03, np.arange(len(track)) / 100, jaw_curve(track))
    return prompt_of(track, see(curves, time_s, len(track)))


@pytest.mark.parametrize(
    ("phone", "near"),
    [("B", "B"), ("bː", "B"), ("tʃʲ", "CH"), ("ˈaɪ", "AY"), ("ɲ", "N"), ("", SILENCE), ("NOISE", SILENCE), ("ʘ", "L")],
)
def test_ipa_is_reduced_to_arpabet(phone: str, near: str) -> None:
    assert arpabet(phone) == near


EXPECTED_LAG_MS = 30
EXPECTED: dict[str, float] = {
    "bilabial_recall": 0.250000,
    "bilabial_precision": 0.250000,
    "bilabial_f1": 0.250000,
    "fv_recall": 0.600000,
    "jaw_r": 0.420075,
    "vowel_rho": 0.125977,
    "round_auc": 0.290506,
    "acc5": 0.156429,
    "bal5": 0.169578,
    "still": 0.059157,
}
