"""The rows of the motion benchmark, regardless of the speed of this machine."""

from mien.bench.motion import BAR, run_motion


def test_the_engine_has_a_bar_and_prosody_is_shown_beside_it() -> None:
    said: list[str] = []
    report = run_motion(2, said.append)
    engine, both = report.rows
    assert said
    assert engine.bar == BAR >= 100
    assert not engine.at_most
    assert both.bar is None
    assert engine.value is not None
    assert both.value is not None
    assert engine.value > 0 < both.value
