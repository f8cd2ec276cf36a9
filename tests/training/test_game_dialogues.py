"""Game dialogues: lines with their speakers."""

import pytest

from training.texts import Line, entries

SCRIPT = r"""
-- Start
dialogId("vit-m-krabi", "font_small", "Poor crabs!")
dialogStr("Chudáci krabi, \"říkal\"\n si.")

dialogId("vit-hs-uvod", "font_statue","Welcome to the city.")

dialogId("ne", "font_big", "No!")
dialogStr("Ne!")
"""


def test_lines_have_figure_and_translation() -> None:
    lines = list(entries(SCRIPT, "city"))
    assert [(line.name, line.figure) for line in lines] == [("vit-m-krabi", "small"), ("vit-hs-uvod", "statue")]
    assert lines[0].text == 'Chudáci krabi, "říkal" si.'


def test_a_line_without_translation_keeps_its_original() -> None:
    assert list(entries(SCRIPT, "city"))[1].text == "Welcome to the city."


@pytest.mark.parametrize(
    ("name", "figure", "who"),
    [
        ("vit-m-krabi", "small", "m"),
        ("vit-v-krabi", "big", "v"),
        ("vit-hs-uvod", "statue", "city-statue"),
        ("m-tatinek", "small", "city-small"),
        ("rand-0-1", "big", "city-big"),
    ],
)
def test_the_two_fish_are_the_same_in_all_levels_but_those_of_others(name: str, figure: str, who: str) -> None:
    assert Line("city", name, figure, "").speaker == who
