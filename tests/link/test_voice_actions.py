"""Commands that the voice carries out, with a voice that answers as a test wants."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from link.test_reporter import Rig
from mien.core import wire
from mien.errors import ClientError
from mien.fleet import command as fleet
from mien.link.asked import Asked
from mien.link.refused import RefusedError
from mien.link.voice_actions import VoiceActions

AT = {"id": "abcdefgh", "at": 0.0}
RESULTS = {
    "relay": "relay-1",
    "interrupt": (),
    "thumbnail": wire.Thumbnail(width=320, height=240, encoding="jpeg", data=b"\xff\xd8"),
}


class Client:
    """Notes every call. error: raised by each."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **named: Any) -> Any:
            self.calls.append((name, args or named))
            if self.error is not None:
                raise self.error
            return RESULTS.get(name)

        return call


class Voice:
    """As VoiceLink. knows: capabilities."""

    def __init__(self) -> None:
        self.client: Any = Client()
        self.knows = {"relay", "screen"}

    def can(self, capability: str) -> bool:
        return capability in self.knows


class Stage(Rig):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.voice = Voice()
        self.actions = VoiceActions(
            voice=self.voice,  # type: ignore[arg-type]
            floor=self.floor,
            calls=self.calls,
            reporter=self.reporter,
            keeper=self.keeper,
        )

    def do(self, command: fleet.CommandBase, user: str = "ann") -> dict[str, Any]:
        async def nothing(_: dict[str, Any]) -> None:
            return

        asked = Asked(user, "agent", command, lambda _: None, nothing)
        return asyncio.run(self.actions.table()[type(command)](asked))  # type: ignore[arg-type]

    def refused(self, command: fleet.CommandBase, user: str = "ann") -> str:
        with pytest.raises(RefusedError) as found:
            self.do(command, user)
        return found.value.refusal.code


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_words_are_relayed_to_the_voice_agent(stage: Stage) -> None:
    assert stage.do(fleet.Say(**AT, text="Hello")) == {"relay": "relay-1"}
    assert stage.do(fleet.Whisper(**AT, text="He is deaf")) == {"relay": "relay-1"}
    assert stage.voice.client.calls == [("relay", ("say", "Hello")), ("relay", ("whisper", "He is deaf"))]


def test_only_the_holder_puts_words_into_the_kiosk_s_mouth(stage: Stage) -> None:
    stage.floor.taken("ann", 0)
    assert stage.refused(fleet.Say(**AT, text="Hello"), "bob") == "floor_taken"
    assert stage.do(fleet.Say(**AT, text="Hello"), "ann")
    assert stage.do(fleet.Whisper(**AT, text="Hello"), "bob")


def test_what_an_older_voice_does_not_know_is_unavailable(stage: Stage) -> None:
    stage.voice.knows = set()
    assert stage.refused(fleet.Say(**AT, text="Hello")) == "unavailable"
    assert stage.refused(fleet.Screen(**AT, power="off")) == "unavailable"
    assert stage.voice.client.calls == []


def test_a_screen_is_switched(stage: Stage) -> None:
    stage.do(fleet.Screen(**AT, power="off"))
    stage.do(fleet.Screen(**AT, power="auto", brightness=0.5))
    assert [call[0] for call in stage.voice.client.calls] == ["screen", "screen"]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("no_speaker", "no_speaker"),
        ("floor_taken", "floor_taken"),
        ("unreachable", "no_voice"),
        ("closed", "no_voice"),
        ("not_allowed", "not_allowed_here"),
        ("something new", "failed"),
    ],
)
def test_the_voice_s_refusal_is_told(stage: Stage, code: str, expected: str) -> None:
    stage.voice.client.error = ClientError("no", code=code)
    assert stage.refused(fleet.Say(**AT, text="Hello")) == expected


def test_a_floor_that_the_voice_refuses_is_not_held(stage: Stage) -> None:
    stage.voice.client.error = ClientError("desk holds the floor", code="floor_taken")
    assert stage.refused(fleet.TakeFloor(**AT)) == "floor_taken"
    assert stage.floor.holder == ""
    assert stage.keeper.now.floor is None


def test_a_floor_taken_twice_is_told_once(stage: Stage) -> None:
    stage.do(fleet.TakeFloor(**AT, queue="drop"))
    stage.do(fleet.TakeFloor(**AT))
    assert stage.voice.client.calls == [("take_floor", ("drop",)), ("take_floor", ("hold",))]
    assert len(stage.events) == 1


def test_a_caption_is_of_the_speech_that_is_heard(stage: Stage) -> None:
    stage.do(fleet.TakeFloor(**AT))
    assert stage.refused(fleet.Caption(**AT, text="Hello")) == "unavailable"
    stage.floor.turn = "ann-1"
    assert stage.do(fleet.Caption(**AT, text="Hello")) == {"turn": "ann-1"}
    assert stage.refused(fleet.Caption(**AT, text="Hello"), "bob") == "floor_not_held"


def test_a_thumbnail_is_a_jpeg(stage: Stage) -> None:
    answer = stage.do(fleet.Thumbnail(**AT, width=640))
    assert answer == {"jpeg": "/9g=", "width": 320, "height": 240}
    assert stage.voice.client.calls == [("thumbnail", (320,))]


def test_nothing_is_done_without_a_voice(stage: Stage) -> None:
    stage.voice.client = None
    for command in (fleet.TakeFloor(**AT), fleet.Volume(**AT, gain=1.0), fleet.Mute(**AT, muted=True)):
        assert stage.refused(command) == "no_voice"
    assert stage.do(fleet.Ping(**AT)) == {"voice": False}


def test_a_mute_is_withdrawn(stage: Stage) -> None:
    stage.do(fleet.Mute(**AT, muted=True))
    stage.do(fleet.Mute(**AT, muted=False))
    assert [call[0] for call in stage.voice.client.calls] == ["mute", "unmute"]
