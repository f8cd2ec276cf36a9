"""The simulated boards: the same by seed, true to docs/mqtt.md, and a short run that loses nothing."""

import asyncio
import itertools
import math
import struct
from pathlib import Path

import msgspec
import pytest
import zmq.asyncio

from fleet_sim.__main__ import measure
from fleet_sim.boards import make
from fleet_sim.life import life
from fleet_sim.orders import Orders
from fleet_sim.probe import Sequences
from fleet_sim.streams import FRAMES, PoseStream, SoundStream
from fleet_sim.table import Figure, quantile, text
from fleet_sim.voice import SimulatedVoice
from mien.client import HealthReport, Outcome, connect_async
from mien.core.pose import CHANNELS
from mien.fleet import event
from mien.fleet.topics import Board
from mien.transport import voice_endpoint

PLACE = Board("berlin", "kiosk-7")
NOW = 1_000_000.0


def test_a_kiosk_s_hour_is_the_same_by_seed_and_in_order() -> None:
    first, again, other = (list(itertools.islice(life(seed), 300)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert [moment.at_s for moment in first] == sorted(moment.at_s for moment in first)


def test_an_hour_has_visits_turns_calls_and_faults_that_end() -> None:
    hour = [moment for seed in range(50) for moment in itertools.takewhile(lambda each: each.at_s < 3600, life(seed))]
    kinds = [type(moment.happening) for moment in hour]
    assert set(kinds) == {event.Turn, event.Visit, event.Call, event.Fault}
    assert 60 < kinds.count(event.Turn) / 50 < 140
    states = [each.happening.state for each in hour if isinstance(each.happening, event.Call)]
    assert abs(states.count("open") - states.count("timed_out")) < 5


def order(**fields: object) -> bytes:
    return msgspec.json.encode({"id": "a" * 8, "at": NOW, "command": "ping", **fields})


def asked(orders: Orders, topic: str, payload: bytes) -> tuple[str, str]:
    told = orders.take(PLACE.topic(*topic.split("/")), payload, NOW)
    assert told is not None
    return told[0], told[1].error.code if told[1].error else told[1].state


@pytest.mark.parametrize(("topic", "payload", "code"), [
    ("command/observer/anna", order(), "done"),
    ("command/observer/anna", order(command="take_floor"), "not_permitted"),
    ("command/agent/anna", order(at=NOW - 31), "stale"),
    ("command/agent/anna", order(at=NOW + 6), "from_the_future"),
    ("command/agent/anna", order(command="fly"), "bad_payload"),
    ("command/agent/anna", b"[" * 5000, "bad_payload"),
    ("command/agent/anna", b" " * 9000, "bad_payload"),
    ("command/agent/anna", order(command="release_floor"), "floor_not_held"),
])  # fmt: skip
def test_commands_are_answered_as_a_board_answers_them(topic: str, payload: bytes, code: str) -> None:
    assert asked(Orders(PLACE), topic, payload) == ("anna", code)


def test_a_floor_has_one_holder_and_a_command_is_obeyed_once() -> None:
    orders = Orders(PLACE)
    assert asked(orders, "command/agent/anna", order(command="take_floor"))[1] == "done"
    assert asked(orders, "command/agent/anna", order(command="take_floor"))[1] == "duplicate"
    assert asked(orders, "command/agent/ben", order(id="b" * 8, command="take_floor"))[1] == "floor_taken"
    assert orders.floor is not None
    assert orders.floor.holder == "anna"


def test_streams_go_on_for_as_long_as_somebody_asks() -> None:
    orders = Orders(PLACE)
    orders.take(PLACE.topic("watch", "anna"), b'{"streams": ["pose"], "for_s": 5}', NOW)
    orders.take(PLACE.topic("watch", "ben"), b'{"streams": ["heard"], "for_s": 9}', NOW)
    assert orders.streams(NOW + 4) == {"pose", "heard"}
    assert orders.streams(NOW + 6) == {"heard"}
    orders.take(PLACE.topic("watch", "ben"), b'{"streams": []}', NOW + 6)
    assert orders.streams(NOW + 6) == set()
    assert orders.take("mien/1/berlin/other/watch/anna", b"{}", NOW) is None
    assert orders.refused == 1


def test_a_pose_batch_reads_as_the_page_says() -> None:
    stream = PoseStream(1)
    batches = [stream.batch(NOW + number / 10) for number in range(20)]
    for number, batch in enumerate(batches):
        version, flags, counted, at_ms = struct.unpack_from("<BBHQ", batch)
        assert (version, flags, counted, at_ms) == (1, number % 10 == 0, number, round((NOW + number / 10) * 1000))
        at = 12
        for frame in range(FRAMES):
            mask = int.from_bytes(batch[at + 1 : at + 8], "little")
            whole = bool(flags) and frame == 0
            assert mask.bit_count() == (len(CHANNELS) if whole else 9)
            assert mask < 1 << len(CHANNELS)
            at += 8 + mask.bit_count()
        assert at == len(batch)
    assert sum(map(len, batches)) / 2 < 3000, "bytes a second"


def test_a_sound_message_reads_as_the_page_says() -> None:
    raw = SoundStream(1).message(NOW)
    version, flags, number, _, count = struct.unpack_from("<BBHQB", raw)
    assert (version, flags, number, count) == (1, 1, 0, 5)
    at = 13
    for _ in range(count):
        at += 2 + struct.unpack_from("<H", raw, at)[0]
    assert at == len(raw)


def test_missing_and_repeated_events_are_counted() -> None:
    seen = Sequences()
    assert [seen.take("a", "q", number) for number in (3, 4, 4, 7)] == [True, True, False, True]
    seen.take("b", "q", 100)
    assert (seen.count, seen.repeated, seen.missing) == (4, 1, 2)


def test_a_figure_that_was_not_measured_fails_its_bar() -> None:
    assert quantile([3, 1, 2], 0.5) == 2
    assert Figure("a", quantile([], 0.5), "s", 1).fails
    assert Figure("a", 1.1, "s", 1).fails
    assert not Figure("a", 1, "s", 1).fails
    assert not Figure("a", math.nan, "s").fails
    assert text([Figure("a", 1.1, "s", 1)]).endswith("FAILS")


async def hear_one(run_dir: Path) -> list[object]:
    """What a client hears of a simulated voice."""
    voice = asyncio.create_task(SimulatedVoice(zmq.asyncio.Context.instance(), run_dir, 3, 600.0).run())
    heard: list[object] = []
    try:
        async with asyncio.timeout(20), connect_async(voice_endpoint(run_dir), role="agent", name="link") as client:
            await client.subscribe("state", "health", "calls")
            await client.take_floor()
            turn = client.turn()
            await turn.write(bytes(640))
            await turn.end()
            heard.append(await turn.wait())
            await client.release_floor()
            async for message in client.events():
                heard.append(message)
                if {Outcome, HealthReport} <= {type(each) for each in heard}:
                    break
    finally:
        voice.cancel()
        await asyncio.gather(voice, return_exceptions=True)
    return heard


def test_a_simulated_voice_speaks_the_protocol(tmp_path: Path) -> None:
    heard = asyncio.run(hear_one(tmp_path))
    assert heard[0].reason == "played"  # type: ignore[attr-defined]


@pytest.mark.timeout(200)
def test_a_short_run_loses_nothing(tmp_path: Path) -> None:
    """Three plain boards; how fast they are says nothing here, where other tests run beside."""
    figures = {each.name: each.value for each in measure(tmp_path, 3, 0.1, 1, ["--plain"])}
    assert figures["boards"] == 3
    assert figures["events in all"] > 0
    assert figures["events lost"] == 0
    assert figures["commands refused, or not answered within 10 s"] == 0
    assert figures["poses of the watched board"] > 0


def test_boards_are_made_of_folders(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "link.toml").write_text("[board]\nsite = 'a'\nname = 'b'\n[broker]\nhost = 'c'\n")

    async def made() -> list[str]:
        return [board.place.user for board in make([folder], 1, 1.0, plain=True)]  # type: ignore[attr-defined]

    assert asyncio.run(made()) == ["a/b"]
