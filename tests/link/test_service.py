"""The whole link: a real voice, a real broker, root's side behind a real socket."""

import asyncio
import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from link.link_rig import PLACE, check, link_config, listening, running, until
from mien.client import connect_async
from mien.link import floor_keeper
from mien.link.board_control import BoardControl
from mien.link.config import TellConfig
from mien.units import NS_PER_S
from rigs.mosquitto import Mosquitto
from rigs.services import running_voice

TURN = bytes(3200)  # 100 ms at 16 kHz


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


def status_of(listener: Any) -> Any:
    return (listener.payloads("status") or [{}])[-1]


def test_a_turn_becomes_an_event_and_health(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        config = link_config(broker.port, tell=TellConfig(said=True, health_s=1))
        async with listening(broker.port) as listener, running(config, tmp_path):
            await until(lambda: status_of(listener).get("level") == "audio_only")
            assert status_of(listener)["session"]
            async with connect_async(f"ipc://{tmp_path}/voice.sock", name="agent") as agent, agent.turn("t1") as turn:
                await agent.caption("t1", "Good morning")
                await turn.write(TURN)
                await turn.wait()
            await until(lambda: [each for each in listener.payloads("event") if each["type"] == "turn"])
            (told,) = (each for each in listener.payloads("event") if each["type"] == "turn")
            check("event", told)
            assert (told["client"], told["turn"], told["reason"], told["pii.text"]) == (
                "agent",
                "t1",
                "played",
                "Good morning",
            )
            assert told["heard_ms"] == 100.0
            await until(lambda: listener.payloads("health")[-1]["turns"] == 1)
            assert listener.payloads("health")[-1]["heard_s"] == 0.1

    with running_voice(tmp_path):
        asyncio.run(play())


def test_two_users_cannot_hold_the_floor(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        async with listening(broker.port) as listener, running(link_config(broker.port), tmp_path):
            await until(lambda: status_of(listener).get("session"))
            assert (await listener.order("take_floor", "ann", "agent"))["state"] == "done"
            await until(lambda: status_of(listener)["floor"] and status_of(listener)["floor"]["holder"] == "ann")
            refused = await listener.order("take_floor", "bob", "agent")
            assert refused["error"]["code"] == "floor_taken"
            assert "ann" in refused["error"]["message"]
            assert (await listener.order("interrupt", "bob", "agent"))["error"]["code"] == "floor_not_held"
            assert (await listener.order("release_floor", "bob", "agent"))["error"]["code"] == "floor_not_held"
            assert (await listener.order("release_floor", "ann", "agent", note="agreed"))["state"] == "done"
            await until(lambda: status_of(listener)["floor"] is None)
            assert (await listener.order("take_floor", "bob", "agent"))["state"] == "done"

    with running_voice(tmp_path):
        asyncio.run(play())


def test_the_floor_of_a_closed_page_is_given_back(
    tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor_keeper, "SILENT_NS", NS_PER_S // 2)

    async def play() -> None:
        async with listening(broker.port) as listener, running(link_config(broker.port), tmp_path):
            await until(lambda: status_of(listener).get("session"))
            assert (await listener.order("take_floor", "ann", "agent"))["state"] == "done"
            await listener.publish("watch/ann", b'{"streams": ["pose"], "for_s": 1.5}')
            await until(lambda: [each for each in listener.payloads("event") if each["type"] == "floor"][1:])
            floors = [(each["holder"], each["why"]) for each in listener.payloads("event") if each["type"] == "floor"]
            assert floors == [("ann", "taken"), ("", "released")]
            await until(lambda: status_of(listener)["floor"] is None)

    with running_voice(tmp_path):
        asyncio.run(play())


def test_a_customer_s_call_is_answered(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        async with listening(broker.port) as listener, running(link_config(broker.port), tmp_path):
            await until(lambda: status_of(listener).get("session"))
            async with connect_async(f"ipc://{tmp_path}/voice.sock", name="agent") as agent:
                await agent.call("Where is the exit?", language="en")
                await until(lambda: status_of(listener)["call"])
                call = status_of(listener)["call"]
                assert call["pii.question"] is None  # tell.said is off
                wrong = await listener.order("answer_call", "ann", "agent", call="another", coming=True)
                assert wrong["error"]["code"] == "no_call"
                answer = await listener.order("answer_call", "ann", "agent", call=call["call"], coming=True, in_s=60)
                assert answer["state"] == "done"
                await until(lambda: status_of(listener)["call"]["accepted_by"] == "ann")
                async with asyncio.timeout(10):
                    async for event in agent.events():
                        if type(event).__name__ == "CallAnswered":
                            assert event.coming
                            break
            await until(lambda: status_of(listener)["call"] is None)  # its client has left

            def states() -> list[str]:
                return [each["state"] for each in listener.payloads("event") if each["type"] == "call"]

            await until(lambda: len(states()) == 3)
            assert states() == ["open", "accepted", "withdrawn"]

    with running_voice(tmp_path):
        asyncio.run(play())


def test_a_voice_that_goes_and_comes_is_told(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        async with listening(broker.port) as listener, running(link_config(broker.port), tmp_path):
            await until(lambda: (status_of(listener) or {}).get("online"))
            assert status_of(listener)["level"] == "no_voice"
            assert (await listener.order("volume", "ann", "agent", gain=0.5))["error"]["code"] == "no_voice"
            with running_voice(tmp_path):
                await until(lambda: status_of(listener)["level"] == "audio_only")
                assert (await listener.order("volume", "ann", "agent", gain=0.5))["state"] == "done"
                await until(lambda: status_of(listener)["volume"] == 0.5)
            await until(lambda: status_of(listener)["level"] == "no_voice")
            assert status_of(listener)["volume"] is None
            await until(lambda: ("voice", True) in faults_of(listener))

    asyncio.run(play())


class RootSide:
    """mien.host.board_control behind a socket, as systemd serves it, with answers of its own. asked: the requests."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[dict[str, Any]] = []

    async def __aenter__(self) -> "RootSide":
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = json.loads(await reader.readline())
        self.asked.append(request)
        said: dict[str, Any] = {"ok": True}
        if request["verb"] == "doctor":
            said["text"] = json.dumps([{"name": "sound", "verdict": "good"}])
        elif request["verb"] == "log":
            said["text"] = f"{request['service']} {'x' * 100_000}"
        elif request["verb"] == "restart" and request["service"] == "ear":
            said = {"ok": False, "why": "Unit not found."}
        writer.write(json.dumps(said).encode() + b"\n")
        writer.close()


def test_operators_restart_look_and_collect(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        (tmp_path / "link.toml").write_text('[broker]\nhost = "b"\npassword_file = "secret"\ntoken = "s3cret"\n')
        async with (
            RootSide(tmp_path / "control") as root,
            listening(broker.port) as listener,
            running(link_config(broker.port), tmp_path, control=BoardControl(root.path)) as service,
        ):
            await until(lambda: service.snapshot.connected)
            assert (await listener.order("restart", service="voice"))["state"] == "done"
            failed = await listener.order("restart", service="ear")
            assert (failed["error"]["code"], failed["error"]["message"]) == ("failed", "Unit not found.")
            assert (await listener.order("doctor"))["result"]["rows"][0]["name"] == "sound"
            assert (await listener.order("log", service="face", lines=5))["result"]["text"].startswith("x")
            assert root.asked[-1] == {"verb": "log", "service": "face", "lines": 5}
            assert (await listener.order("reboot", now=True))["state"] == "done"
            assert root.asked[-1] == {"verb": "reboot"}
            await listener.order("bundle", lines=10)
            parts = [each["result"] for each in listener.answers() if each["command"] == "bundle"]
            data = b"".join(base64.b64decode(part["data"]) for part in parts)
            assert [part["part"] for part in parts] == list(range(parts[0]["parts"]))
            assert {part["sha256"] for part in parts} == {hashlib.sha256(data).hexdigest()}
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                names = archive.getnames()
                config = archive.extractfile("mien-bundle/config/link.json")
                assert config is not None
                text = config.read().decode()
            assert {"mien-bundle/log/voice.txt", "mien-bundle/doctor.json", "mien-bundle/status.json"} <= set(names)
            assert "s3cret" not in text
            assert json.loads(text)["broker"]["host"] == "b"

            def recorded() -> list[str]:
                return [each["command"] for each in listener.payloads("event") if each["type"] == "command"]

            await until(lambda: "bundle" in recorded())
            assert recorded().count("restart") == 2

    asyncio.run(play())


def test_a_drained_board_says_so_and_answers_when_nobody_is_there(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        async with listening(broker.port) as listener, running(link_config(broker.port), tmp_path):
            await until(lambda: status_of(listener).get("session"))
            answer = await listener.order("drain", within_s=5)
            assert answer["result"] == {"draining": True, "clear": True}
            await until(lambda: status_of(listener)["draining"])
            assert (await listener.order("drain", drain=False))["result"] == {"draining": False}
            await until(lambda: not status_of(listener)["draining"])

    with running_voice(tmp_path):
        asyncio.run(play())


def test_hostile_messages_on_every_topic_change_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        hostile = (b"", b"\0", b"{", b"[" * 2000, b"\xff" * 300, b'{"id":1}', b"x" * 60_000, b"null", b"true")
        topics = [
            *(f"command/{role}/ann" for role in ("observer", "agent", "operator", "root", "")),
            *("watch/ann", "watch/ANN", "watch/" + "a" * 40, "speech/ann", "speech/Ü"),
        ]
        async with listening(broker.port) as listener, running(link_config(broker.port), tmp_path) as service:
            await until(lambda: service.snapshot.connected)
            for topic in topics:
                for payload in hostile:
                    await listener.publish(topic, payload)
            assert (await listener.order("ping", "eve", "observer"))["state"] == "done"
            assert service.snapshot.connected
            assert listener.answers("ann") == []

    with running_voice(tmp_path):
        asyncio.run(play())


def test_the_first_words_come_soon_after_the_network(tmp_path: Path) -> None:
    """The bar is 2 s; the network comes as a broker here, and as netlink's word of a new address."""

    async def play() -> None:
        broker = Mosquitto(tmp_path)
        async with running(link_config(broker.port, broker={"retry_max_s": 3600}), tmp_path) as service:
            await until(lambda: service.snapshot.trouble == "refused")
            await asyncio.sleep(3)  # by now it waits for longer than a moment
            broker.start()
            service._network.changed.set()
            await until(lambda: service.snapshot.connected, 2.0)
        broker.kill()

    asyncio.run(play())


def test_a_clock_that_is_set_later_is_noticed(tmp_path: Path, broker: Mosquitto) -> None:
    now = [100.0]

    async def play() -> None:
        config = link_config(broker.port)
        async with listening(broker.port) as listener, running(config, tmp_path, now_s=lambda: now[0]):
            await until(lambda: status_of(listener).get("clock") == "unset")
            assert status_of(listener)["at"] is None
            assert (await listener.order("ping", "ann", "observer"))["error"]["code"] == "clock_unset"
            now[0] = 1_900_000_000.0
            await until(lambda: status_of(listener)["clock"] == "free")
            assert status_of(listener)["started"] == pytest.approx(now[0], abs=60)
            answer = await listener.order("ping", "ann", "observer", at=now[0])
            assert answer["state"] == "done"
            await until(lambda: ("clock", False) in faults_of(listener))
            assert ("clock", True) in faults_of(listener)

    asyncio.run(play())


def faults_of(listener: Any) -> list[tuple[str, bool]]:
    told = [each for each in listener.payloads("event") if each["type"] == "fault"]
    return [(each["part"], each["failed"]) for each in told]


def test_a_card_that_takes_nothing_is_told_and_the_link_works(tmp_path: Path, broker: Mosquitto) -> None:
    (tmp_path / "link").write_text("in the way of the folder")

    async def play() -> None:
        async with listening(broker.port) as listener, running(link_config(broker.port), tmp_path):
            await until(lambda: ("disk", True) in faults_of(listener))
            assert status_of(listener)["online"]

    asyncio.run(play())


def test_a_stop_leaves_no_thread_and_tells_the_broker(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        async with listening(broker.port) as listener:
            async with running(link_config(broker.port), tmp_path) as service:
                await until(lambda: service.snapshot.connected)
            await until(lambda: status_of(listener) == {"online": False})
            whats = [each["what"] for each in listener.payloads("event") if each["type"] == "link"]
            assert whats[0] == "started"
            assert "stopping" in whats

    before = {thread.name for thread in threading.enumerate()}
    asyncio.run(play())
    assert {thread.name for thread in threading.enumerate()} <= before


def test_the_place_of_the_board_is_in_every_topic() -> None:
    assert PLACE.topic("status") == "mien/1/museum/lobby/status"
