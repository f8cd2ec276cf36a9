"""A thousand simulated visits: none gets stuck, none is reset in mid-speech, and of none is anything left."""

import dataclasses
import random
from zlib import crc32

import pytest

from converse.visit.kiosk_world import S, World
from mien.converse.visit import signals
from mien.converse.visit.phrases import LINES
from mien.converse.visit.times import Times

VISITS = 1000
CHUNK = 100
BUTTONS = ("What are your opening hours?", "person", "repeat", "goodbye")
TIMES = {"idle": 20 * S, "extend": 20 * S, "left": 5 * S, "call": 30 * S, "attract_every": 900 * S}


def dump(thing, seen=None):
    """Every text that can be reached from an object."""
    seen = set() if seen is None else seen
    if isinstance(thing, str):
        return [thing]
    if thing is None or isinstance(thing, int | float | bytes) or id(thing) in seen or callable(thing):
        return []
    seen.add(id(thing))
    if isinstance(thing, dict):
        return [text for item in thing.items() for part in item for text in dump(part, seen)]
    if isinstance(thing, list | tuple | set):
        return [text for item in thing for text in dump(item, seen)]
    if dataclasses.is_dataclass(thing):
        return [text for field in dataclasses.fields(thing) for text in dump(getattr(thing, field.name), seen)]
    return []


class Visitor:
    """One seeded visitor. Everything they say, and what a person notes, contains their own secret word."""

    def __init__(self, world, source, number):
        self.world, self.random = world, source
        self.secret = f"secret{number}"
        self.sensor = source.random() < 0.6

    def come(self):
        world, how = self.world, self.random.choice(("sensor", "touch", "voice"))
        if self.sensor:
            for _ in range(self.random.choice((0, 0, 0, 5))):  # it flaps
                world.signal(signals.Present(True, "pir"))
                world.wait(self.random.uniform(0.1, 0.6))
                world.signal(signals.Present(False, "pir"))
                world.wait(0.2)
            world.signal(signals.Present(True, "pir"))
        if how == "touch":
            world.signal(signals.Present(True, "touch"))
        elif how == "voice" or not self.sensor:
            world.says(f"tell me about {self.secret} please")
        world.wait(self.random.uniform(0, 8))

    def act(self):
        """One thing that visitors do. Returns whether they go on."""
        world, draw = self.world, self.random.random()
        if draw < 0.35:
            world.says(self.random.choice(("where is", "I am looking for", "and what about")) + f" {self.secret}")
            world.wait(self.random.uniform(0, 12))  # sometimes over the answer
        elif draw < 0.5 and world.shown:
            labels = list(world.shown.values())
            label, by = self.random.choice(labels), self.random.choice(("touch", "key"))
            world.touches("Deutsch" if "Deutsch" in labels else label, by)
            if "Deutsch" not in world.shown.values():
                world.wait(self.random.uniform(0, 10))
            elif self.random.random() < 0.7:
                world.touches("Deutsch", by)
        elif draw < 0.55:
            world.says("", recognised=False)  # a cough
        elif draw < 0.62:
            world.says("I would like to talk to a person about " + self.secret)
            self.person()
        elif draw < 0.68:
            world.says(self.random.choice(("yes", "no", "repeat that", "louder", "slower")))
        elif draw < 0.73:
            world.wait(self.random.uniform(10, 60))  # thinks
        elif draw < 0.75:
            world.now_ns += self.random.randint(-500, 5000) * S  # the clock jumps
        elif draw < 0.8:
            world.says("goodbye")
            return False
        elif draw < 0.85:
            world.says(f"well I wanted to know whether {self.secret} and", seconds=0.8)  # leaves in mid-sentence
            return False
        return draw < 0.9

    def person(self):
        world = self.world
        world.wait(self.random.uniform(0, 5))
        if self.random.random() < 0.3:
            world.signal(signals.PersonAnswered(self.random.random() < 0.7, self.random.choice((0, 20))))
        if self.random.random() < 0.5:
            world.wait(self.random.uniform(0, 40))
            world.signal(signals.PersonSpeaks())
            world.interrupt()
            world.wait(self.random.uniform(0, 60))
            world.signal(signals.PersonLeft(f"about {self.secret}"))

    def leave(self):
        if self.sensor:
            self.world.signal(signals.Present(False, "pir"))


def test_dump_finds_what_is_kept():
    world = World()
    world.says("something unforgettable")
    world.wait(20)
    assert any("unforgettable" in text for text in dump(world.host))


@pytest.mark.parametrize("chunk", range(VISITS // CHUNK))
def test_simulated_visits(chunk):
    source = random.Random(chunk)
    more = {"language": "auto", "languages": ("en", "de"), "captions": True, "qr": "https://a.example", "qr_ns": 20 * S}
    with_more = chunk % 3 == 0
    world = World(
        seed=chunk,
        times=Times(**TIMES, consent=chunk % 5 == 4),
        knows=lambda text: None if crc32(text.encode()) % 4 == 0 else f"About that: {text}",
        buttons=(*BUTTONS, "language", "captions") if with_more else BUTTONS,
        **(more if with_more else {}),
        attract=("Ask me something.",),
    )
    world.draws_qr = with_more
    visits, languages, codes = 0, set(), 0
    for number in range(CHUNK):
        visitor = Visitor(world, source, number)
        visitor.come()
        while visitor.act():
            pass
        visitor.leave()
        began_ns = world.now_ns
        while world.visit.state != "attract" or world.conversation.busy or world.speaking:
            world.wait(1)
            assert world.now_ns - began_ns < 900 * S, f"stuck in {world.visit.state}"
        assert (world.shown, world.qr, world.host.captions) == ({}, "", with_more)
        assert world.conversation.language == ("auto" if with_more else "en")
        left = [text for text in dump(world.host) if visitor.secret in text]
        assert left == [], left
        visits += bool(world.records)
        closed(world)
        languages |= {record.language for record in world.records}
        codes += sum(text in world.said for text in (LINES["en"]["qr"], LINES["de"]["qr"]))
        world.records.clear()
        world.notes.clear()
        world.said.clear()
        world.calls.clear()
    assert visits >= 0.9 * CHUNK  # the others walked past, or their sensor only flapped
    assert languages == ({"en", "de"} if with_more else {"en"})
    assert bool(codes) == with_more


def closed(world):
    """Every call was withdrawn in the end, and a visitor who was not called for knows it."""
    assert [open_ for _, open_ in world.calls].count(True) <= [open_ for _, open_ in world.calls].count(False) + 0
    for record in world.records:
        answered = record.handed_over_ns or record.calls_unanswered or not record.calls
        assert answered, record
        assert record.ended_ns >= record.greeted_ns >= record.began_ns > 0
