"""The bus: every subscriber gets everything, and one that does not read cannot delay the others."""

import contextlib
import threading

import pytest
import zmq

from mien.core.stats import Counters
from mien.errors import BusError
from mien.transport.bus import (
    EAR_ENDS,
    EAR_REPORT_BYTES,
    FACE_ENDS,
    HIGH_WATER_MARK,
    MAX_SUBSCRIBERS,
    SUBSCRIBER_BYTES,
    FaceBus,
    VoiceBus,
    subscribe,
)
from mien.transport.zmtp.peer import MAX_FRAME_BYTES
from rigs.reactor_rig import ReactorRig


class Rig(ReactorRig):
    def __init__(self, run_dir):
        super().__init__()
        self.run_dir = run_dir
        self.voice = self.served = VoiceBus(self.reactor, run_dir, self.clock, self.counters)
        self.context = zmq.Context()

    def subscriber(self):
        socket = subscribe(self.context, self.run_dir)
        self.until(self.voice.joined)
        return socket

    def hear(self, socket):
        self.until(lambda: socket.poll(0))
        return socket.recv_multipart()


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    yield rig
    rig.voice.close()
    rig.reactor.close()
    rig.context.destroy(linger=0)


def test_everybody_who_subscribed_hears(rig):
    first = rig.subscriber()
    rig.voice.publish([b"one"])
    second = rig.subscriber()
    assert not rig.voice.joined()
    rig.voice.publish([b"two", b"payload"])
    assert [rig.hear(first), rig.hear(first)] == [[b"one"], [b"two", b"payload"]]
    assert rig.hear(second) == [b"two", b"payload"]


def test_whoever_ends_its_subscription_hears_no_more(rig):
    socket = rig.subscriber()
    socket.unsubscribe(b"")
    for _ in range(20):
        rig.step()
    assert not rig.voice.joined()
    assert not rig.voice._listening  # libzmq's own filter would hide what is sent all the same
    rig.voice.publish([b"x"])
    for _ in range(20):
        rig.step()
    assert not socket.poll(0)


def test_one_that_leaves_is_forgotten(rig):
    rig.subscriber().close()
    for _ in range(20):
        rig.step()
        rig.voice.joined()
    rig.voice.publish([b"x"])
    assert rig.counters["bus_subscribers_dropped"] == 0


def test_a_subscriber_that_does_not_read_is_dropped_and_comes_back(rig):
    socket = rig.context.socket(zmq.SUB)
    socket.linger, socket.rcvhwm = 0, 1
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(f"ipc://{rig.run_dir}/bus.sock")
    rig.until(rig.voice.joined)
    sent = 0
    while not rig.counters["bus_subscribers_dropped"]:
        rig.voice.publish([bytes(10_000)])
        sent += 10_000
    assert SUBSCRIBER_BYTES < sent < 2 * SUBSCRIBER_BYTES
    while not rig.voice.joined():
        with contextlib.suppress(zmq.Again):
            socket.recv(zmq.NOBLOCK)
        rig.step()
    rig.voice.publish([b"news"])
    while rig.hear(socket) != [b"news"]:
        pass


@pytest.mark.parametrize(("queued", "dropped"), [(SUBSCRIBER_BYTES, 0), (SUBSCRIBER_BYTES + 1, 1)])
def test_a_subscriber_may_have_its_bound_queued_and_not_a_byte_more(rig, monkeypatch, queued, dropped):
    rig.subscriber()
    monkeypatch.setattr(rig.voice._publisher, "send", lambda *_: queued)
    rig.voice.publish([b"x"])
    assert rig.counters["bus_subscribers_dropped"] == dropped


def test_no_more_subscribers_than_there_may_be(rig):
    sockets = [rig.subscriber() for _ in range(MAX_SUBSCRIBERS)]
    late = subscribe(rig.context, rig.run_dir)
    for _ in range(50):
        rig.step()
        assert not rig.voice.joined()
    rig.voice.publish([b"x"])
    assert all(rig.hear(socket) == [b"x"] for socket in sockets)
    assert not late.poll(0)


def test_one_that_was_dropped_comes_back_also_where_every_place_was_taken(rig, monkeypatch):
    sockets = [rig.subscriber() for _ in range(MAX_SUBSCRIBERS)]
    server = rig.voice._publisher
    slow = next(identity for identity, _ in server.peers())
    sent = server.send
    monkeypatch.setattr(server, "send", lambda to, frames: SUBSCRIBER_BYTES + 1 if to == slow else sent(to, frames))
    rig.voice.publish([b"x"])
    # It connects again; libzmq subscribes anew in the thread that uses the socket.
    rig.until(lambda: [socket.poll(0) for socket in sockets] and rig.voice.pending)
    assert rig.voice.joined()
    rig.voice.publish([b"y"])
    for socket in sockets:
        while rig.hear(socket) != [b"y"]:
            pass


def test_a_subscription_is_pending_until_it_is_taken(rig):
    socket = subscribe(rig.context, rig.run_dir)
    rig.until(lambda: rig.voice.pending)
    assert rig.voice.joined()
    assert not rig.voice.pending
    socket.close()


def test_reporters_that_come_and_go_leave_nothing_behind(rig):
    server = rig.voice._reports
    for _ in range(3):
        reporter = socket_at(rig, zmq.PUSH, "report.sock")
        reporter.send(b"here")
        rig.until(rig.voice.report)
        reporter.close()
        rig.until(lambda: server.gone)
        assert rig.voice.report() is None
        assert not server.gone


def test_reports_reach_the_voice(rig):
    face = FaceBus(rig.context, rig.run_dir, Counters())
    rig.until(lambda: face.report(b"report") or rig.voice.report() == [b"report"])
    rig.voice.publish([b"to nobody yet"])
    rig.until(rig.voice.joined)
    rig.voice.publish([b"hello"])
    assert rig.until(lambda: face.receive(0)) == [b"hello"]
    face.close()


def test_an_endless_report_is_cut_off(rig):
    socket = rig.context.socket(zmq.PUSH)
    socket.linger = 0
    socket.connect(f"ipc://{rig.run_dir}/report.sock")
    socket.send_multipart([b"x"] * 100)
    rig.until(lambda: rig.counters["reports_refused_endless_message"])
    assert rig.voice.report() is None


def test_a_deleted_bus_comes_back(rig):
    for name in ("bus.sock", "report.sock"):
        (rig.run_dir / name).unlink()
    rig.clock.advance_ms(1100)
    rig.step()
    rig.subscriber()
    assert (rig.counters["bus_sockets_rebound"], rig.counters["reports_sockets_rebound"]) == (1, 1)


def test_a_second_voice_is_refused_and_the_first_goes_on(rig):
    with pytest.raises(BusError, match=r"run_dir: .*bus\.sock belongs to a running service"):
        VoiceBus(rig.reactor, rig.run_dir, rig.clock, rig.counters)
    rig.subscriber()


def test_without_a_voice_reports_are_dropped_and_counted_not_kept_for_later(tmp_path):
    context, counters = zmq.Context(), Counters()
    face = FaceBus(context, tmp_path, counters)
    for _ in range(5):
        face.report(b"old")
    assert counters["reports_dropped"] == 5
    rig = Rig(tmp_path)
    heard = rig.until(lambda: face.report(b"new") or rig.voice.report())
    assert heard == [b"new"]
    face.close()
    rig.voice.close()
    rig.reactor.close()
    context.destroy(linger=0)
    rig.context.destroy(linger=0)


def test_a_face_waits_no_longer_than_it_is_told_and_then_hears_in_order(rig):
    face = FaceBus(rig.context, rig.run_dir, Counters())
    assert face.receive(0) is None
    assert face.receive(1) is None
    rig.until(rig.voice.joined)
    for number in range(20):
        rig.voice.publish([b"anchor", str(number).encode()])
    heard = [rig.until(lambda: face.receive(0)) for _ in range(20)]
    assert heard == [[b"anchor", str(number).encode()] for number in range(20)]
    assert face.receive(1) is None
    face.close()


def test_a_face_that_waits_gets_what_comes_meanwhile(tmp_path):
    with zmq.Context() as context:
        publisher = context.socket(zmq.XPUB)
        publisher.bind(f"ipc://{tmp_path}/bus.sock")
        face = FaceBus(context, tmp_path, Counters())
        assert publisher.poll(10_000)
        publisher.recv()  # its subscription
        later = threading.Timer(0.1, publisher.send, [b"late"])
        later.start()
        assert face.receive(10_000) == [b"late"]
        later.join()
        face.close()
        publisher.close(0)


@pytest.fixture
def ear_bus(rig):
    """The ear's bus beside the face's."""
    bus = VoiceBus(rig.reactor, rig.run_dir, rig.clock, rig.counters, EAR_ENDS)
    yield bus
    bus.close()


def socket_at(rig, kind, name, **options):
    socket = rig.context.socket(kind)
    socket.linger = 0
    for option, value in options.items():
        setattr(socket, option, value)
    if kind == zmq.SUB:
        socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(f"ipc://{rig.run_dir}/{name}")
    return socket


def test_the_ear_has_sockets_of_its_own_and_its_reports_keep_their_payload(rig, ear_bus):
    ear = socket_at(rig, zmq.SUB, "far-end.sock")
    face = rig.subscriber()
    rig.until(ear_bus.joined)
    ear_bus.publish([b"far", b"sound"])
    assert rig.hear(ear) == [b"far", b"sound"]
    assert not face.poll(0)
    reports = socket_at(rig, zmq.PUSH, "ear.sock")
    for number in range(100):
        reports.send_multipart([b"near", bytes([number]) * 640])
    assert [rig.until(ear_bus.report) for _ in range(100)] == [
        [b"near", bytes([number]) * 640] for number in range(100)
    ]
    assert rig.voice.report() is None


@pytest.mark.parametrize("frames", [[bytes(EAR_REPORT_BYTES + 1)], [b"near", bytes(1 << 17)], [b"x"] * 9])
def test_a_report_beyond_any_of_the_ears_ends_its_connection(rig, ear_bus, frames):
    reports = socket_at(rig, zmq.PUSH, "ear.sock")
    reports.send_multipart(frames)
    rig.until(
        lambda: any(count and name.startswith("ear_reports_refused") for name, count in rig.counters.snapshot().items())
    )
    assert ear_bus.report() is None


def test_an_ear_that_does_not_read_is_dropped(rig, ear_bus):
    ear = socket_at(rig, zmq.SUB, "far-end.sock", rcvhwm=1)
    rig.until(ear_bus.joined)
    sent = 0
    while not rig.counters["far_end_subscribers_dropped"]:
        ear_bus.publish([bytes(10_000)])
        sent += 10_000
        assert sent < 4 * EAR_ENDS.subscriber_bytes
    assert sent > EAR_ENDS.subscriber_bytes
    ear.close()


def test_what_waits_in_the_face_s_process_is_bounded_and_nothing_waits_at_its_end(rig):
    face = FaceBus(rig.context, rig.run_dir, Counters())
    assert face.subscriber.rcvhwm == HIGH_WATER_MARK == 2000
    assert face._reports.sndhwm == 100
    assert (face.subscriber.linger, face._reports.linger) == (0, 0)
    assert face.subscriber.get(zmq.RECONNECT_IVL) == 50
    assert face.subscriber.get(zmq.RECONNECT_IVL_MAX) == 200
    face.close()
    assert face.subscriber.closed
    assert face._reports.closed


def test_the_bounds_of_the_buses_are_those_that_the_sound_needs():
    """Five seconds of speech, or of far end, and the largest message that there is."""
    assert (FACE_ENDS.subscriber_bytes, FACE_ENDS.report_bytes) == (512 * 1024, MAX_FRAME_BYTES)
    assert (EAR_ENDS.subscriber_bytes, EAR_ENDS.report_bytes) == (256 * 1024, 8192)
    assert MAX_SUBSCRIBERS == 8


def test_a_bus_that_cannot_be_opened_whole_leaves_nothing_open(rig, tmp_path):
    other = tmp_path / "other"
    (other / "report.sock").mkdir(parents=True)
    with pytest.raises(BusError, match=r"report\.sock cannot be opened"):
        VoiceBus(rig.reactor, other, rig.clock, rig.counters)
    assert not (other / "bus.sock").exists()


def test_a_face_that_has_nothing_to_say_stays_connected(rig):
    socket, reporter = rig.subscriber(), socket_at(rig, zmq.PUSH, "report.sock")
    reporter.send(b"here")
    rig.until(rig.voice.report)
    for _ in range(24):
        rig.clock.advance_ms(3_600_000)
        rig.step()
    assert not rig.voice.joined()
    rig.voice.publish([b"x"])
    assert rig.hear(socket) == [b"x"]
    timed_out = [name for name in rig.counters.snapshot() if name.endswith("strangers_timed_out")]
    assert timed_out == []
    assert len(rig.voice._reports) == 1
