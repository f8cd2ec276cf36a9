"""The clients' socket: budgets, disconnects, removed keys."""

import contextlib

import pytest
import zmq
import zmq.utils.z85

from mien.core import wire
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.errors import BusError
from mien.transport.key_check import KeyCheck
from mien.transport.keys import KeyFolder
from mien.transport.router import BUDGET_BYTES, SOUND_BYTES, ClientRouter
from mien.transport.zmtp.reactor import Reactor
from rigs.reactor_rig import ReactorRig


class Rig(ReactorRig):
    """Each client has the role that `roles` gives its identity; "stranger" without one."""

    def __init__(self, run_dir, keys=None):
        super().__init__()
        self.roles = {}
        pair = tuple(map(zmq.utils.z85.decode, keys.voice_pair())) if keys else None
        self.router = self.served = ClientRouter(
            self.reactor,
            [f"ipc://{run_dir}/voice.sock"],
            self.clock,
            self.counters,
            standing=lambda identity: self.roles.get(identity, "stranger"),
            guarded=["tcp://127.0.0.1:*"] if keys else [],
            pair=pair,
            keys=KeyCheck(keys, self.clock, self.counters) if keys else None,
        )
        self.context = zmq.Context()

    def client(self, role="speaker", endpoint=0, **options):
        """A connected client and its identity."""
        socket = self.context.socket(zmq.DEALER)
        socket.linger = 0
        for name, value in options.items():
            setattr(socket, name, value)
        socket.connect(self.router.endpoints[endpoint])
        socket.send(b"hello")
        identity, _, self.user = self.until(self.router.receive)
        self.roles[identity] = role
        return socket, identity

    def hear(self, socket):
        self.until(lambda: socket.poll(0))
        return wire.decode_voice(socket.recv())

    def close(self):
        self.router.close()
        self.reactor.close()
        self.context.destroy(linger=0)


@contextlib.contextmanager
def routed(run_dir, keys=None):
    rig = Rig(run_dir, keys)
    try:
        yield rig
    finally:
        rig.close()


def said(size):
    return wire.Said(client="c", turn="t", text="x" * size)


def test_messages_reach_the_client_they_are_for(tmp_path):
    with routed(tmp_path) as rig:
        (first, one), (second, two) = rig.client(), rig.client()
        rig.router.send(two, wire.Pong(nonce=2, now_ns=0))
        rig.router.send(one, wire.Pong(nonce=1, now_ns=0))
        assert (rig.hear(first).nonce, rig.hear(second).nonce) == (1, 2)
        assert rig.user == ""


@pytest.mark.parametrize("role", ["speaker", "agent", "observer"])
def test_a_client_that_does_not_read_is_told_so_and_hung_up_on(tmp_path, role):
    with routed(tmp_path) as rig:
        socket, identity = rig.client(role, rcvhwm=1, rcvbuf=4096)
        sent = 0
        while not rig.router.gone:
            rig.router.send(identity, said(10_000))
            sent += 10_000
            assert sent < 3_000_000
        assert sent > BUDGET_BYTES[role]
        assert (list(rig.router.gone), rig.counters["clients_too_slow"]) == ([identity], 1)
        last = None
        while not isinstance(last, wire.Error):
            last = rig.hear(socket)
        assert last.code == "too_slow"
        assert "kB of events were not read" in last.message


def test_observers_may_keep_less_than_speakers_and_strangers_least():
    assert BUDGET_BYTES["stranger"] < BUDGET_BYTES["observer"] < BUDGET_BYTES["speaker"] == BUDGET_BYTES["agent"]
    assert BUDGET_BYTES["speaker"] == 1 << 20


@pytest.mark.parametrize("role", ["speaker", "agent", "observer", "stranger"])
def test_a_client_may_have_its_budget_queued_and_not_a_byte_more(tmp_path, monkeypatch, role):
    with routed(tmp_path) as rig:
        _, identity = rig.client(role)
        queued = [BUDGET_BYTES[role], BUDGET_BYTES[role] + 1]
        monkeypatch.setattr(rig.router._server, "send", lambda *_: queued.pop(0))
        rig.router.send(identity, said(1))
        assert not rig.router.gone
        rig.router.send(identity, said(1))
        assert list(rig.router.gone) == [identity]


def test_one_that_does_not_read_costs_the_others_nothing(tmp_path):
    with routed(tmp_path) as rig:
        _stalled, one = rig.client("observer", rcvhwm=1)
        reading, two = rig.client("observer")
        for number in range(300):
            rig.router.send(one, said(10_000))
            rig.router.send(two, said(number))
            assert len(rig.hear(reading).text) == number
        assert list(rig.router.gone) == [one]


def test_a_client_that_leaves_is_gone(tmp_path):
    with routed(tmp_path) as rig:
        socket, identity = rig.client()
        socket.close()
        rig.until(lambda: identity in rig.router.gone)


def test_hanging_up_without_a_word(tmp_path):
    with routed(tmp_path) as rig:
        socket, identity = rig.client()
        rig.router.disconnect(identity)
        assert list(rig.router.gone) == [identity]
        for _ in range(20):
            rig.step()
        assert not socket.poll(0)


def test_whoever_never_says_hello_is_hung_up_on_after_half_a_minute(tmp_path):
    with routed(tmp_path) as rig:
        _, identity = rig.client("stranger")
        rig.clock.advance_ms(29_000)
        rig.step()
        assert not rig.router.gone
        rig.clock.advance_ms(1_000)
        rig.step()
        assert list(rig.router.gone) == [identity]


def test_what_was_sent_leaves_before_the_socket_is_closed(tmp_path):
    rig = Rig(tmp_path)
    socket, identity = rig.client()
    for _ in range(30):
        rig.router.send(identity, said(10_000))
    rig.router.send(identity, wire.Pong(nonce=9, now_ns=0))
    rig.router.close()
    messages = []
    while not messages or not isinstance(messages[-1], wire.Pong):
        assert socket.poll(5000)
        messages.append(wire.decode_voice(socket.recv()))
    assert len(messages) == 31
    rig.reactor.close()
    rig.context.destroy(linger=0)


@pytest.mark.parametrize(("reads", "waited_ms"), [(True, 0), (False, 200)])
def test_closing_waits_for_who_has_not_read_and_no_longer_than_it_may(tmp_path, monkeypatch, reads, waited_ms):
    rig, waits = Rig(tmp_path), []
    _, identity = rig.client()
    if not reads:
        monkeypatch.setattr(rig.router._server, "_flush", lambda _: None)  # the kernel's buffers are full
    rig.router.send(identity, said(10))
    monkeypatch.setattr(rig.reactor, "wait", waits.append)
    rig.close()
    assert sum(waits) == waited_ms


def test_a_second_router_is_refused_and_the_first_goes_on(tmp_path):
    with routed(tmp_path) as rig:
        with pytest.raises(BusError, match=r"voice\.listen: .*voice\.sock belongs to a running service"):
            Rig(tmp_path)
        rig.client()


def test_a_router_that_cannot_open_everything_leaves_nothing_open(tmp_path):
    counters, reactor = Counters(), Reactor()
    wanted = [f"ipc://{tmp_path}/voice.sock", f"ipc://{tmp_path}/none/voice.sock"]
    with pytest.raises(BusError, match="none/voice"):
        ClientRouter(reactor, wanted, ManualClock(), counters, standing=lambda _: "stranger")
    assert not (tmp_path / "voice.sock").exists()
    reactor.close()


@pytest.fixture
def keys(tmp_path):
    folder = KeyFolder(tmp_path / "keys")
    folder.make_voice_pair()
    folder.make_client("ada", "agent", tmp_path / "out")
    folder.make_client("eve", "observer", tmp_path / "out")
    return folder


def key_options(keys, tmp_path, name):
    public, secret = zmq.auth.load_certificate(tmp_path / "out" / f"{name}.key_secret")
    return {"curve_serverkey": keys.voice_pair()[0], "curve_publickey": public, "curve_secretkey": secret}


def test_a_key_that_is_removed_ends_its_sessions_within_seconds(keys, tmp_path):
    with routed(tmp_path, keys) as rig:
        ada, one = rig.client("agent", 1, **key_options(keys, tmp_path, "ada"))
        assert rig.user == "agent/ada"
        eve, two = rig.client("observer", 1, **key_options(keys, tmp_path, "eve"))
        local, _ = rig.client()
        keys.remove("ada")
        rig.clock.advance_ms(1000)
        rig.step()
        assert list(rig.router.gone) == [one]
        assert rig.hear(ada).code == "access_revoked"
        rig.router.send(two, wire.Pong(nonce=2, now_ns=0))
        assert rig.hear(eve).nonce == 2
        assert rig.counters["access_revoked"] == 1
        assert not local.poll(0)


def test_garbage_among_the_keys_revokes_nobody_and_welcomes_nobody(keys, tmp_path):
    with routed(tmp_path, keys) as rig:
        _, one = rig.client("agent", 1, **key_options(keys, tmp_path, "ada"))
        (keys.root / "allowed" / "agent" / "bad.key").write_bytes(b"\xff\x00")
        keys.remove("eve")
        rig.clock.advance_ms(1000)
        rig.step()
        assert not rig.router.gone
        late = rig.context.socket(zmq.DEALER)
        late.linger = 0
        for name, value in key_options(keys, tmp_path, "eve").items():
            setattr(late, name, value)
        late.connect(rig.router.endpoints[1])
        late.send(b"hello")
        rig.until(lambda: rig.counters["access_refused"])
        assert rig.router.receive() is None
        assert one not in rig.router.gone


def test_sound_goes_with_its_payload(tmp_path):
    with contextlib.closing(Rig(tmp_path)) as rig:
        socket, identity = rig.client()
        block, payload = wire.NearEnd(seq=1, at_ns=2, speech=True), bytes(range(256))
        assert rig.router.offer(identity, block, payload)
        rig.until(lambda: socket.poll(0))
        assert socket.recv_multipart() == [wire.encode(block), payload]


def test_sound_is_dropped_for_a_client_that_does_not_read_while_events_are_not(tmp_path, monkeypatch):
    with contextlib.closing(Rig(tmp_path)) as rig:
        _, identity = rig.client("observer")
        server = rig.router._server
        monkeypatch.setattr(server, "_flush", lambda _: None)  # the kernel's buffers are full
        block = wire.NearEnd(seq=1, at_ns=2, speech=True)
        while rig.router.offer(identity, block, bytes(640)):
            assert server.queued(identity) < 2 * SOUND_BYTES
        full = server.queued(identity)
        assert SOUND_BYTES - 1000 < full < SOUND_BYTES + 1000
        event = wire.UserStarted(utterance=1, at_ns=1, confidence=1.0)
        for _ in range(100):
            rig.router.send(identity, event)
            assert not rig.router.offer(identity, block, bytes(640))
        assert server.queued(identity) > full + 100 * len(wire.encode(event))
        assert rig.counters["clients_too_slow"] == 0
        assert server.queued(b"nobody") == 0


@pytest.mark.parametrize(("queued", "sent"), [(SOUND_BYTES - 640, True), (SOUND_BYTES - 639, False)])
def test_sound_that_waits_is_bounded_to_the_byte(tmp_path, monkeypatch, queued, sent):
    with contextlib.closing(Rig(tmp_path)) as rig:
        _, identity = rig.client("observer")
        monkeypatch.setattr(rig.router._server, "queued", lambda _: queued)
        assert rig.router.offer(identity, wire.NearEnd(seq=1, at_ns=2, speech=True), bytes(640)) is sent


def test_a_client_that_is_held_back_is_read_again_after_five_milliseconds(tmp_path):
    with routed(tmp_path) as rig:
        socket, identity = rig.client()
        assert not rig.router.holding_back
        rig.router.hold_back(identity)
        assert rig.router.holding_back
        socket.send(b"more")
        rig.clock.advance_ms(4.999)
        for _ in range(20):
            rig.reactor.wait(5)
            rig.router.step()
        assert rig.router.holding_back
        assert rig.router.receive() is None
        rig.clock.advance_ms(0.001)
        rig.step()
        assert not rig.router.holding_back
        assert rig.until(rig.router.receive) == (identity, [b"more"], "")


def test_messages_are_pending_until_they_are_taken(tmp_path):
    with routed(tmp_path) as rig:
        socket, identity = rig.client()
        assert not rig.router.pending
        socket.send(b"more")
        rig.until(lambda: rig.router.pending)
        assert rig.router.receive() == (identity, [b"more"], "")
        assert not rig.router.pending


def test_the_budgets_are_what_the_page_of_security_counts_on():
    assert {role: size // 1024 for role, size in BUDGET_BYTES.items()} == {
        "speaker": 1024, "agent": 1024, "observer": 256, "stranger": 64,
    }  # fmt: skip
    assert SOUND_BYTES == 65_536
