"""The fast part of `make fleet-demo`: its script, its film's parts, what it trusts."""

from pathlib import Path
from typing import Any

import pytest

from fleet_sim import receptionist
from fleet_sim.demo import key_hash
from fleet_sim.screencast import Picture, concat_list, sound_options, write_film
from fleet_sim.site import Site
from mien.client import CallAnswered, Floor
from mien.errors import MienError


class Heard:
    """In place of the client: what the receptionist did, and what it hears."""

    def __init__(self, *events: CallAnswered | Floor | None) -> None:
        self.did: list[str] = []
        self._events = list(events)

    def call(self, question: str, **_: object) -> None:
        self.did.append("call")

    def hang_up(self) -> None:
        self.did.append("hang up")

    def visit(self, visit: object) -> None: ...

    def emotion(self, *_: object) -> None: ...

    def poll(self, timeout_s: float) -> CallAnswered | Floor | None:
        return self._events.pop(0) if self._events else None


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said, without sound, and without waiting."""
    texts: list[str] = []
    monkeypatch.setattr(receptionist, "say", lambda client, text: (client.did.append("say"), texts.append(text)))
    monkeypatch.setattr("time.sleep", lambda _: None)
    return texts


def test_the_receptionist_calls_a_person_and_thanks_after_the_floor_came_back(said: list[str]) -> None:
    comes, taken = CallAnswered(agent="mien-link", coming=True), Floor(holder="ada", why="taken")
    client: Any = Heard(None, comes, taken, None, Floor(holder="", why="released"))
    receptionist.perform(client, iter(["next"]), calls=True)
    assert client.did == ["say", "say", "call", "say", "say", "say"]
    assert said[2:] == [receptionist.COMING, receptionist.THANKS, "next"]


def test_without_anybody_the_receptionist_hangs_up(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receptionist, "CALL_S", 0.0)
    client: Any = Heard()
    receptionist.perform(client, iter([]), calls=True)
    assert client.did == ["say", "say", "call", "hang up"]
    assert receptionist.THANKS not in said


def test_pictures_last_until_the_next_one() -> None:
    text = concat_list([Picture(10.0, Path("a.jpg")), Picture(10.25, Path("b.jpg"))], last_s=1.0)
    assert text.splitlines() == ["file 'a.jpg'", "duration 0.250", "file 'b.jpg'", "duration 1.000", "file 'b.jpg'"]


@pytest.mark.parametrize(("heard_at_s", "options"), [(90.0, ["-ss", "10.000"]), (103.5, ["-itsoffset", "3.500"])])
def test_sound_and_pictures_begin_together(heard_at_s: float, options: list[str]) -> None:
    assert sound_options(Path("s.wav"), heard_at_s, 100.0) == [*options, "-i", "s.wav"]


def test_no_pictures_are_no_film(tmp_path: Path) -> None:
    with pytest.raises(MienError, match="nothing to film"):
        write_film([], tmp_path / "console.mp4")


def test_the_browser_trusts_the_key_of_this_broker_alone(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made = Site(tmp_path / name)
        made.bring()
        hashes.append(key_hash(made.etc / "server.crt"))
    assert all(len(each) == 44 for each in hashes)
    assert hashes[0] != hashes[1]
