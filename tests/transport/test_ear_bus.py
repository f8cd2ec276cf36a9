"""The ear's end of its bus, against plain sockets."""

import time

import pytest
import zmq

from mien.core.stats import Counters
from mien.errors import BusError
from mien.transport import EAR_SOCKET, FAR_END_SOCKET, METER_SOCKET
from mien.transport.ear_bus import FAR_END_MESSAGES, METER_MESSAGES, REPORT_MESSAGES, EarBus, subscribe_meter

PATIENCE_S = 10


class Rig:
    def __init__(self, run_dir):
        self.run_dir = run_dir
        self.counters = Counters()
        self.context = zmq.Context()
        self.bus = EarBus(self.context, run_dir, self.counters)

    def voice(self):
        publisher, puller = self.context.socket(zmq.XPUB), self.context.socket(zmq.PULL)
        publisher.bind(f"ipc://{self.run_dir / FAR_END_SOCKET}")
        puller.bind(f"ipc://{self.run_dir / EAR_SOCKET}")
        assert publisher.recv() == b"\x01"  # it subscribes to all
        return publisher, puller


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    yield rig
    rig.bus.close()
    rig.context.destroy(linger=0)


def until(condition):
    deadline_s = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    return found


def test_the_voice_s_messages_come_whole_and_in_order(rig):
    publisher, _ = rig.voice()
    for number in range(5):
        publisher.send_multipart([b"%d" % number, b"sound"])
    assert [until(rig.bus.receive) for _ in range(5)] == [[b"%d" % number, b"sound"] for number in range(5)]
    assert rig.bus.receive() is None


def test_reports_reach_a_voice_that_came_later(rig):
    rig.bus.report([b"lost"])
    assert rig.counters["reports_dropped"] == 1
    _, puller = rig.voice()
    until(lambda: rig.bus.report([b"health"]) or puller.poll(50))
    assert puller.recv_multipart() == [b"health"]


def test_a_voice_that_does_not_read_delays_nothing(rig):
    _, puller = rig.voice()
    until(lambda: rig.bus.report([b"x"]) or puller.poll(50))
    began_s = time.monotonic()
    for _ in range(20 * REPORT_MESSAGES):
        rig.bus.report([bytes(640)])
    assert time.monotonic() - began_s < 5
    assert rig.counters["reports_dropped"] > 0


def test_every_meter_hears_and_none_delays(rig):
    meters = [subscribe_meter(rig.context, rig.run_dir) for _ in range(3)]
    until(lambda: rig.bus.publish(b"levels") or all(meter.poll(20) for meter in meters))
    for _ in range(5000):
        rig.bus.publish(b"more")  # nobody reads
    assert [meter.recv() for meter in meters] == [b"levels"] * 3


def test_a_run_dir_in_which_nothing_can_be_bound_is_named(tmp_path):
    context = zmq.Context()
    with pytest.raises(BusError, match=r"run_dir: .*meter\.sock: cannot be bound"):
        EarBus(context, tmp_path / "absent", Counters())
    context.term()  # no socket was left open


def test_what_waits_in_the_ear_s_process_is_bounded_and_nothing_waits_at_its_end(rig):
    """An ear that is busy for ten seconds loses no far end; one that ends waits for nobody."""
    meter = subscribe_meter(rig.context, rig.run_dir)
    assert rig.bus._orders.rcvhwm == FAR_END_MESSAGES == 500
    assert rig.bus._reports.sndhwm == REPORT_MESSAGES == 200
    assert rig.bus._meters.sndhwm == meter.rcvhwm == METER_MESSAGES == 50
    for socket in (rig.bus._orders, rig.bus._reports, rig.bus._meters, meter):
        assert socket.linger == 0
        assert socket.get(zmq.RECONNECT_IVL) == 50
        assert socket.get(zmq.RECONNECT_IVL_MAX) == 200


def test_the_meters_socket_goes_with_the_ear_and_one_that_was_never_bound_is_left(tmp_path):
    context = zmq.Context()
    bus = EarBus(context, tmp_path, Counters())
    assert (tmp_path / METER_SOCKET).exists()
    bus.close()
    assert not (tmp_path / METER_SOCKET).exists()
    (tmp_path / METER_SOCKET).mkdir()  # another's
    with pytest.raises(BusError, match="remove it if another user left it there"):
        EarBus(context, tmp_path, Counters())
    assert (tmp_path / METER_SOCKET).exists()
    context.term()
