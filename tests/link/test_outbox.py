"""What waits for the broker: states newest only, streams bounded, answers confirmed or failed."""

import asyncio

import pytest

from mien.errors import FleetError
from mien.fleet.topics import Board
from mien.link.outbox import LIVE_BYTES, LIVE_MESSAGES, RELIABLE_MESSAGES, Outbox, Sending

PLACE = Board("museum", "lobby")


def drain(outbox: Outbox) -> list[Sending]:
    found = []
    while (sending := outbox.take()) is not None:
        found.append(sending)
    return found


def opened() -> Outbox:
    outbox = Outbox(PLACE)
    outbox.opened()
    return outbox


def test_the_newest_state_is_sent_once_and_again_on_every_connection() -> None:
    outbox = Outbox(PLACE)
    outbox.retain("status", b"1", qos=1)
    outbox.retain("status", b"2", qos=1)
    outbox.retain("health", b"h")
    assert [(each.topic, each.payload, each.qos, each.retain) for each in drain(outbox)] == [
        ("mien/1/museum/lobby/status", b"2", 1, True),
        ("mien/1/museum/lobby/health", b"h", 0, True),
    ]
    assert drain(outbox) == []
    outbox.opened()
    assert [each.payload for each in drain(outbox)] == [b"2", b"h"]


def test_streams_are_bounded_and_the_oldest_goes() -> None:
    outbox = opened()
    for number in range(LIVE_MESSAGES + 5):
        assert outbox.publish("live/pose", b"%d" % number)
    assert outbox.dropped == 5
    assert drain(outbox)[0].payload == b"5"
    for _ in range(3):
        outbox.publish("live/heard", b"x" * (LIVE_BYTES // 2))
    assert len(drain(outbox)) == 2


def test_nothing_waits_for_a_broker_that_is_away() -> None:
    outbox = Outbox(PLACE)
    assert not outbox.publish("live/pose", b"")
    outbox.opened()
    outbox.publish("live/pose", b"")
    outbox.lost()
    assert drain(outbox) == []


def test_an_answer_fails_when_the_broker_is_or_goes_away() -> None:
    async def check() -> None:
        outbox = Outbox(PLACE)
        with pytest.raises(FleetError, match="away"):
            await outbox.deliver("answer/ann", b"")
        outbox.opened()
        waiting = outbox.post("answer/ann", b"1")
        outbox.lost()
        with pytest.raises(FleetError, match="went away"):
            await waiting
        outbox.opened()
        confirmed = outbox.post("answer/ann", b"2")
        sending = outbox.take()
        assert sending is not None
        assert sending.done is not None
        sending.done.set_result(None)
        await confirmed

    asyncio.run(check())


def test_answers_are_bounded() -> None:
    async def check() -> None:
        outbox = opened()
        posted = [outbox.post("answer/ann", b"") for _ in range(RELIABLE_MESSAGES + 1)]
        with pytest.raises(FleetError, match="too many"):
            await posted[-1]

    asyncio.run(check())


def test_states_come_before_answers_and_answers_before_streams() -> None:
    async def check() -> list[bytes]:
        outbox = opened()
        outbox.publish("live/pose", b"stream")
        outbox.post("answer/ann", b"answer")
        outbox.retain("status", b"state")
        return [each.payload for each in drain(outbox)]

    assert asyncio.run(check()) == [b"state", b"answer", b"stream"]
