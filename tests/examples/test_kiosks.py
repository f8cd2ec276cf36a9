"""Every kiosk of examples/kiosks, played from greeting to goodbye in each of its languages, by touch and by voice."""

from pathlib import Path

import pytest

from converse.visit.kiosk_world import World
from mien.config import load_config
from mien.converse.think.base import Question
from mien.converse.think.retrieval import KnowledgeThinker
from mien.converse.visit import phrases, signals
from mien.converse.visit.times import times
from mien.core.bus import Choices
from mien.face.overlay.annotations import Layout
from mien.face.overlay.button_grid import ButtonGrid
from mien.face.overlay.button_images import ButtonMaker

KIOSKS = Path(__file__).resolve().parents[2] / "examples" / "kiosks"
FILES = sorted(KIOSKS.glob("*/??.toml"))
SCREENS = [(1080, 1920), (1920, 1080)]


@pytest.fixture(params=FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def config(request, monkeypatch):
    """The configuration, read as `mien converse --config` does in its folder."""
    monkeypatch.chdir(request.param.parent)
    return load_config(Path(request.param.name))


class Kiosk(World):
    def __init__(self, config):
        thinker = KnowledgeThinker(config.converse.knowledge, model=False)
        thinker.load()
        self.refused = []

        def knows(text):
            parts = list(thinker.think(Question(text, config.converse.language)))
            return None if parts[0].offer else " ".join(part.text for part in parts)

        visit = config.visit
        super().__init__(
            times=times(visit),
            knows=knows,
            language=config.converse.language,
            buttons=visit.buttons,
            attract=visit.attract,
            greeting=visit.greeting,
            refused=lambda question, _: self.refused.append(question),
            speak_keys=config.choices.numbers,
        )

    def arrive(self, config):
        self.signal(signals.Present(True, "pir"))
        if config.visit.consent:
            self.until(lambda: self.visit.state == "consent", "the question for consent")
            self.wait(6)
            self.touches(phrases.ANSWERS[self.host.language]["yes"])
        self.until(lambda: self.visit.state == "conversation" and not self.conversation.busy, "the greeting's end")

    def asks(self, question):
        before = len(self.said)
        self.touches(question)
        self.until(lambda: len(self.said) > before and not self.conversation.busy, "the answer")


def test_there_are_three_in_two_languages():
    assert [f"{path.parent.name}/{path.stem}" for path in FILES] == [
        f"{name}/{language}" for name in ("clinic", "museum", "shop") for language in ("de", "en")
    ]
    listed = (KIOSKS / "README.md").read_text()
    assert all(f"[{path.parent.name}]({path.parent.name})" in listed for path in FILES)


def test_by_touch_alone(config):
    kiosk = Kiosk(config)
    kiosk.arrive(config)
    notice = phrases.LINES[config.converse.language]["notice"]
    assert kiosk.said[0].startswith(f"{config.visit.greeting} {notice}")
    known = phrases.BUTTONS[config.converse.language]
    questions = [button for button in config.visit.buttons if button not in known]
    for question in questions:
        kiosk.asks(question)
    assert kiosk.refused == []
    kiosk.signal(signals.Present(False, "pir"))
    if "goodbye" in config.visit.buttons:
        kiosk.touches(known["goodbye"][0])
    kiosk.until(lambda: kiosk.records, "the end")
    (record,) = kiosk.records
    assert record.ended == ("touch" if "goodbye" in config.visit.buttons else "left")
    assert (record.questions, record.answered) == (len(questions), len(questions))
    assert kiosk.shown == {}


SPOKEN = {
    "museum-en": ("What are your opening hours?", "from ten to six"),
    "museum-de": ("Wie sind die Öffnungszeiten?", "von zehn bis sechs"),
    "clinic-en": ("It is an emergency.", "red line"),
    "clinic-de": ("Es ist ein Notfall.", "roten Linie"),
    "shop-en": ("Can you bring it to my home?", "nineteen euros"),
    "shop-de": ("Was kostet die Lieferung?", "neunzehn Euro"),
}


def test_by_voice(config):
    kiosk, language = Kiosk(config), config.converse.language
    kiosk.arrive(config)
    text, answer = SPOKEN[f"{Path.cwd().name}-{language}"]
    kiosk.says(text)
    kiosk.until(lambda: any(answer in said for said in kiosk.said), "the answer")
    kiosk.until(lambda: not kiosk.conversation.busy, "silence")
    kiosk.says("goodbye" if language == "en" else "auf wiedersehen")
    kiosk.until(lambda: kiosk.records, "the end")
    assert kiosk.records[0].ended == "word"
    assert kiosk.conversation.history.snapshot() == ()


def test_a_person_is_called_and_nobody_comes(config):
    kiosk = Kiosk(config)
    kiosk.arrive(config)
    kiosk.touches(phrases.BUTTONS[config.converse.language]["person"][0])
    nobody = phrases.LINES[config.converse.language]["nobody"]
    kiosk.until(lambda: nobody in kiosk.said, "the truth", seconds=config.visit.call_s + 60)
    assert [open_ for _, open_ in kiosk.calls] == [True, False]


@pytest.mark.parametrize("size", SCREENS, ids=["portrait", "landscape"])
def test_every_button_fits(config, size):
    width, height = size
    layout = Layout(width, height)
    grid = ButtonGrid(
        width,
        height,
        diagonal_inches=config.screen.diagonal_inches,
        caption_px=layout.caption_room_px,
        size=config.choices.size,
    )
    known = phrases.BUTTONS[config.converse.language]
    items = tuple((button, known.get(button, (button, ""))[0]) for button in config.visit.buttons)
    made = ButtonMaker(grid, numbers=config.choices.numbers).make(Choices(epoch=0, number=1, items=items))
    assert made.shortened == ()
    assert grid.fits([button.box for button in made.buttons])


def test_the_paths_of_a_kiosk_are_those_of_its_folder(config):
    assert Path(config.converse.knowledge).exists()
