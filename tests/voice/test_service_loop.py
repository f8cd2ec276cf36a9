"""One pass of the service's loop: what it serves, in what order, and for how long, on a manual clock."""

from collections import deque

import pytest

from mien.core import wire
from mien.voice import service as service_module
from mien.voice.sinks import open_silence
from rigs.stepped_service import stepped_service


class Source:
    """Stands in for one of the service's sockets.

    cost_ms: what serving one item takes. incomplete: how often there is something to read and no whole message yet.
    """

    gone = ()
    holding_back = False

    def __init__(self, rig, name):
        self._rig, self._name = rig, name
        self._waiting = deque()
        self.cost_ms, self.incomplete = 0.0, 0

    def add(self, count, *, cost_ms=0.0, incomplete=0):
        """Let `count` items arrive: the next wait of the loop ends at once."""
        self.cost_ms, self.incomplete = cost_ms, incomplete
        self._waiting.extend([self._name] * count)
        self._rig.arrived = True

    @property
    def pending(self):
        return bool(self._waiting)

    def report(self):
        if self.incomplete:
            self.incomplete -= 1
            return None
        return [self._waiting.popleft()] if self._waiting else None

    def receive(self):
        frames = self.report()
        return None if frames is None else (b"a", frames, "")

    def joined(self):
        return False

    def step(self):
        """Nothing is due."""

    def close(self):
        """Nothing is open."""


@pytest.fixture
def rig(tmp_path, monkeypatch):
    """The service over three sources. served: whose items; asked: how long the loop would have waited, in ms."""
    with stepped_service(tmp_path, opener=open_silence) as rig:
        service, engine = rig.service, rig.service._engine
        rig.served, rig.asked, rig.sources, rig.arrived = [], [], {}, False

        def serve(name):
            rig.served.append(name)
            rig.clock.advance_ms(rig.sources[name].cost_ms)

        def wait(ms):
            rig.asked.append(ms)
            arrived, rig.arrived = rig.arrived, False
            return arrived

        for name in ("_router", "_bus", "_ear_bus"):
            getattr(service, name).close()
            rig.sources[name] = Source(rig, name)
            monkeypatch.setattr(service, name, rig.sources[name])
        monkeypatch.setattr(engine, "handle", lambda _, frames, __: serve(frames[0]))
        monkeypatch.setattr(engine, "hear", lambda frames: serve(frames[0]))
        monkeypatch.setattr(engine, "report", serve)
        monkeypatch.setattr(service._reactor, "wait", wait)
        yield rig


@pytest.mark.parametrize("name", ["_router", "_bus", "_ear_bus"])
def test_what_one_pass_has_not_served_the_next_serves_without_waiting(rig, name):
    rig.service.step(50)
    rig.sources[name].add(1, incomplete=1)
    rig.service.step(50)
    assert (rig.asked, rig.served) == ([50, 50], [])
    rig.service.step(50)
    assert (rig.asked, rig.served) == ([50, 50, 0], [name])
    rig.service.step(50)
    assert (rig.asked, rig.served) == ([50, 50, 0, 50], [name])


@pytest.mark.parametrize("name", ["_router", "_bus", "_ear_bus"])
def test_what_takes_no_time_is_served_at_once(rig, name):
    rig.sources[name].add(300)
    rig.service.step()
    assert rig.served == [name] * 300


@pytest.mark.parametrize(("name", "most_ms"), [("_router", 3), ("_ear_bus", 1)])
def test_a_flood_delays_the_device_by_a_few_ms_and_is_served_on_in_the_next_pass(rig, name, most_ms):
    rig.sources[name].add(100, cost_ms=0.25)
    rig.service.step(50)
    assert len(rig.served) == most_ms / 0.25
    rig.service.step(50)
    assert len(rig.served) == 2 * most_ms / 0.25
    assert rig.asked == [50, 0]


def test_the_customer_is_heard_before_a_flood_of_messages(rig):
    rig.sources["_router"].add(2)
    rig.sources["_bus"].add(2)
    rig.sources["_ear_bus"].add(2)
    rig.service.step()
    assert rig.served == ["_ear_bus"] * 2 + ["_router"] * 2 + ["_bus"] * 2


def test_stopping_closes_every_socket_and_removes_their_files(tmp_path):
    with stepped_service(tmp_path, opener=open_silence) as rig:
        assert {path.name for path in tmp_path.glob("*.sock")} == {
            "voice.sock",
            "bus.sock",
            "report.sock",
            "far-end.sock",
            "ear.sock",
        }
        rig.say(wire.Hello(protocol=1))
        rig.say(wire.End(turn="t"))
    assert list(tmp_path.glob("*.sock")) == []
    assert rig.service._reactor._epoll.closed


def test_a_life_from_the_release_of_unused_pages_to_the_last_word_to_systemd(tmp_path, monkeypatch, caplog):
    with stepped_service(tmp_path, opener=open_silence) as rig:
        service, done = rig.service, []
        monkeypatch.setattr(service_module, "release_unused_pages", lambda: done.append("pages"))
        monkeypatch.setattr(service._notifier, "_send", done.append)
        monkeypatch.setattr(service, "_shut_down", lambda: done.append("shut down"))
        passes = []
        monkeypatch.setattr(service, "step", lambda wait_ms: passes.append(wait_ms) or service.stop())
        with caplog.at_level("INFO", logger="mien.voice"):
            service.run()
        monkeypatch.undo()
    assert done == ["pages", "READY=1", "shut down"]
    assert len(passes) == 1
    assert f"ready: ipc://{tmp_path}/voice.sock" in caplog.text


def test_every_socket_and_systemd_get_their_chores_four_times_a_second_and_the_status_once(tmp_path, monkeypatch):
    with stepped_service(tmp_path, opener=open_silence) as rig:
        service, done = rig.service, []
        for name in ("_router", "_bus", "_ear_bus"):
            step = getattr(service, name).step
            monkeypatch.setattr(
                getattr(service, name), "step", lambda name=name, step=step: (done.append(name), step())
            )
        monkeypatch.setattr(service._notifier, "watchdog", lambda: done.append("watchdog"))
        monkeypatch.setattr(service._notifier, "status", done.append)
        rig.run_ms(4000)
        for name in ("_router", "_bus", "_ear_bus", "watchdog"):
            assert 14 <= done.count(name) <= 17
        assert 4 <= done.count("audio_only, 0 clients, idle") <= 5
        monkeypatch.undo()


def test_it_waits_whole_milliseconds_and_a_tenth_of_a_second_at_most(tmp_path, monkeypatch):
    with stepped_service(tmp_path, opener=open_silence) as rig:
        service = rig.service
        now_ns = rig.clock.now_ns()
        for due_ms, wait_ms in ((-5, 0), (0, 0), (0.9, 0), (1, 1), (7.5, 7), (99, 99), (100, 100), (5000, 100)):
            monkeypatch.setattr(service._engine, "next_step_ns", lambda now, due=due_ms: now + round(due * 1e6))
            assert service._wait_ms() == wait_ms
        assert rig.clock.now_ns() == now_ns
        monkeypatch.undo()


def test_what_is_logged_of_the_last_turns_is_written_before_the_end(tmp_path):
    with stepped_service(tmp_path, opener=open_silence) as rig:
        closed = []
        rig.service._session_log = type("Log", (), {"close": lambda _: closed.append(len(rig.got(wire.Finished)))})()
        rig.say(wire.Hello(protocol=1))
        rig.say(wire.Audio(turn="t", seq=0), bytes(3200))
    assert closed == [1]


@pytest.mark.parametrize(("name", "told"), [("_bus", "joined"), ("_ear_bus", "ear_joined")])
def test_who_joins_is_told_what_it_must_know(rig, monkeypatch, name, told):
    monkeypatch.setattr(rig.service._engine, told, lambda: rig.served.append(told))
    rig.service.step()
    assert rig.served == []
    monkeypatch.setattr(rig.sources[name], "joined", lambda: True)
    rig.sources[name].add(1)
    rig.service.step()
    assert rig.served == [name, told]
