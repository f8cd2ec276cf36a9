"""Every kiosk of examples/kiosks, played from greeting to goodbye in each language: by touch, by keys, by voice."""

from pathlib import Path

import pytest

from converse.visit.kiosk_world import World
from mien.config import load_config
from mien.converse.start import check_buttons
from mien.converse.think.base import Question
from mien.converse.think.retrieval import KnowledgeThinker
from mien.converse.visit import phrases, signals
from mien.converse.visit.times import times
from mien.core.bus import Choices
from mien.face.overlay.annotations import Layout
from mien.face.overlay.button_grid import ButtonGrid
from mien.face.overlay.button_images import ButtonMaker

KIOSKS = Path(__file__).resolve().parents[2] / "examples" / "kiosks"
FILES = sorted(KIOSKS.glob("*/*.toml"))
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
            parts = list(thinker.think(Question(text, self.host.language)))
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
            languages=("en", "de") if config.converse.language == "auto" else (),
            captions=config.captions.enabled,
        )
        check_buttons(config)
        self.config = config

    @property
    def questions(self):
        """The buttons that are questions."""
        known = phrases.BUTTONS["en"].keys() | {"captions", "language"}
        return [button for button in self.config.visit.buttons if button not in known]

    def label(self, button):
        return phrases.BUTTONS[self.host.language].get(button, (button,))[0]

    def arrive(self, by="touch"):
        self.signal(signals.Present(True, "pir"))
        if self.config.visit.consent:
            self.until(lambda: self.visit.state == "consent", "the question for consent")
            self.wait(6)
            yes = phrases.ANSWERS[self.host.language]["yes"]
            self.says(yes) if by == "voice" else self.touches(yes, by)
        self.until(lambda: self.visit.state == "conversation" and not self.conversation.busy, "the greeting's end")

    def asks(self, question, by="touch"):
        before = len(self.said)
        self.says(question) if by == "voice" else self.touches(question, by)
        self.until(lambda: len(self.said) > before and not self.conversation.busy, "the answer")


def test_there_are_three_in_two_languages():
    names = [f"{path.parent.name}/{path.stem}" for path in FILES]
    one_language = [f"{name}/{language}" for name in ("clinic", "museum", "shop") for language in ("de", "en")]
    assert sorted(names) == sorted([*one_language, "museum/both"])
    listed = (KIOSKS / "README.md").read_text()
    assert all(f"[{path.parent.name}]({path.parent.name})" in listed for path in FILES)


@pytest.mark.parametrize("by", ["touch", "key"])
def test_without_a_word(config, by):
    """From the greeting to the goodbye, with every button on the way. A key per button is all that it needs."""
    kiosk = Kiosk(config)
    kiosk.arrive(by)
    known, switches = phrases.BUTTONS[kiosk.host.language], phrases.SWITCHES[kiosk.host.language]
    assert kiosk.said[0].startswith(f"{config.visit.greeting} {phrases.LINES[kiosk.host.language]['notice']}")
    for question in kiosk.questions:
        kiosk.asks(question, by)
    assert kiosk.refused == []
    answered = len(kiosk.questions)
    if "repeat" in config.visit.buttons:
        answer = kiosk.said[-1]
        kiosk.asks(known["repeat"][0], by)
        assert kiosk.said[-1] == answer
    if "louder" in config.visit.buttons:
        kiosk.asks("quieter" if kiosk.host.language == "en" else "leiser", "voice")
        gain = kiosk.conversation.gain
        kiosk.asks(known["louder"][0], by)
        assert kiosk.conversation.gain > gain
    if "captions" in config.visit.buttons:
        kiosk.asks(switches["captions_off"], by)
        assert not kiosk.host.captions
        kiosk.asks(switches["captions_on"], by)
        assert kiosk.host.captions
    kiosk.signal(signals.Present(False, "pir"))
    if "goodbye" in config.visit.buttons:
        kiosk.touches(known["goodbye"][0], by)
    kiosk.until(lambda: kiosk.records, "the end")
    (record,) = kiosk.records
    assert record.ended == ("touch" if "goodbye" in config.visit.buttons else "left")
    assert (record.questions, record.answered) == (answered, answered)
    assert by in record.touched_by
    assert kiosk.shown == {}


def test_without_sight(config):
    """Everything that a button does can be said as it stands there, and the buttons that cannot are for the eyes."""
    kiosk = Kiosk(config)
    kiosk.arrive("voice")
    for question in kiosk.questions:
        kiosk.asks(question, "voice")
    assert kiosk.refused == []
    for button in config.visit.buttons:
        label = kiosk.label(button)
        if button == "repeat":
            answer = kiosk.said[-1]
            kiosk.asks(label, "voice")
            assert kiosk.said[-1] == answer
        elif button == "louder":
            kiosk.asks(label, "voice")
            assert kiosk.refused == []
    kiosk.says(kiosk.label("person"))
    kiosk.until(lambda: kiosk.calls, "the call")
    kiosk.until(lambda: kiosk.visit.state == "conversation", "the truth", seconds=config.visit.call_s + 60)
    kiosk.until(lambda: not kiosk.conversation.busy, "silence")
    kiosk.says(kiosk.label("goodbye"))
    kiosk.until(lambda: kiosk.records, "the end")
    assert kiosk.records[0].ended == "word"
    assert kiosk.records[0].touched_by <= {"word"}


def test_a_question_on_a_button_is_listed_and_so_answered_at_once(config):
    thinker = KnowledgeThinker(config.converse.knowledge, model=False)
    thinker.load()
    assert all(thinker.best(Question(question, "en")).score == 1.0 for question in Kiosk(config).questions)


def test_where_numbers_are_shown_the_keys_are_said(config):
    kiosk = Kiosk(config)
    kiosk.arrive()
    keys = phrases.spoken_keys(list(kiosk.shown.values()), kiosk.host.language)
    assert (keys in kiosk.said[0]) == config.choices.numbers


def test_the_language_is_changed_by_touch_and_the_visit_goes_on_in_it(monkeypatch):
    monkeypatch.chdir(KIOSKS / "museum")
    config = load_config(Path("both.toml"))
    kiosk = Kiosk(config)
    kiosk.arrive()
    kiosk.asks("When are you open?")
    assert "ten to six" in kiosk.said[-1]
    kiosk.asks(phrases.SWITCHES["en"]["language"])
    kiosk.asks("Deutsch")
    assert kiosk.said[-1] == phrases.LINES["de"]["language"]
    kiosk.asks("Wann haben Sie geöffnet?")
    assert "von zehn bis sechs" in kiosk.said[-1]
    kiosk.touches("Auf Wiedersehen")
    kiosk.until(lambda: kiosk.records, "the end")
    assert kiosk.records[0].language == "de"
    kiosk.wait(5)
    assert kiosk.host.language == "en"


SPOKEN = {
    "museum-en": ("What are your opening hours?", "from ten to six"),
    "museum-de": ("Wie sind die Öffnungszeiten?", "von zehn bis sechs"),
    "clinic-en": ("It is an emergency.", "red line"),
    "clinic-de": ("Es ist ein Notfall.", "roten Linie"),
    "museum-both": ("What are your opening hours?", "from ten to six"),
    "shop-en": ("Can you bring it to my home?", "nineteen euros"),
    "shop-de": ("Was kostet die Lieferung?", "neunzehn Euro"),
}


FILE_OF = {"en": "en", "de": "de", "auto": "both"}


def test_by_voice(config):
    kiosk = Kiosk(config)
    kiosk.arrive()
    text, answer = SPOKEN[f"{Path.cwd().name}-{FILE_OF[config.converse.language]}"]
    kiosk.says(text)
    kiosk.until(lambda: any(answer in said for said in kiosk.said), "the answer")
    kiosk.until(lambda: not kiosk.conversation.busy, "silence")
    kiosk.says(kiosk.label("goodbye"))
    kiosk.until(lambda: kiosk.records, "the end")
    assert kiosk.records[0].ended == "word"
    assert kiosk.conversation.history.snapshot() == ()


def test_a_person_is_called_and_nobody_comes(config):
    kiosk = Kiosk(config)
    kiosk.arrive()
    kiosk.touches(kiosk.label("person"))
    nobody = phrases.LINES[kiosk.host.language]["nobody"]
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
    language = "de" if config.converse.language == "de" else "en"
    known = {button: label for button, (label, _) in phrases.BUTTONS[language].items()}
    known |= {
        "captions": phrases.SWITCHES[language]["captions_off"],
        "language": phrases.SWITCHES[language]["language"],
    }
    items = tuple((button, known.get(button, button)) for button in config.visit.buttons)
    made = ButtonMaker(grid, numbers=config.choices.numbers).make(Choices(epoch=0, number=1, items=items))
    assert made.shortened == ()
    assert grid.fits([button.box for button in made.buttons])


def test_the_paths_of_a_kiosk_are_those_of_its_folder(config):
    assert Path(config.converse.knowledge).exists()
