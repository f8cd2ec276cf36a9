"""CURVE against libzmq's own client, and against clients that violate it."""

import pytest
import zmq
import zmq.utils.z85
from nacl import bindings as nacl

from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.errors import PeerError
from mien.transport.zmtp.curve import CurveMechanism
from mien.transport.zmtp.framing import COMMAND, MORE, Frame, encode_metadata
from rigs.curve_client import CurveClient
from rigs.zmtp_rig import served

SERVER = nacl.crypto_box_keypair()
ADA = nacl.crypto_box_keypair()
ROUTER = {b"Socket-Type": b"ROUTER", b"Identity": b""}


def lookup(public):
    return "agent/ada" if public == ADA[0] else None


def mechanism():
    return CurveMechanism(ROUTER, SERVER, lookup)


def refused(code, match=None):
    return pytest.raises(PeerError, match=match, check=lambda error: error.code == code)


def connected():
    server, client = mechanism(), CurveClient(SERVER[0], ADA)
    client.ready(server.command(client.initiate(server.command(client.hello()))))
    return server, client


def test_a_handshake_and_messages_both_ways():
    server, client = connected()
    assert (server.user_id, server.peer_metadata) == ("agent/ada", {b"socket-type": b"DEALER"})
    assert client.server_metadata == encode_metadata(ROUTER)
    assert server.unpack(client.pack(Frame(MORE, b"head"))) == Frame(MORE, b"head")
    assert server.unpack(client.pack(Frame(0, b""))) == Frame(0, b"")
    assert client.unpack(server.pack(Frame(0, b"x" * 1000))) == Frame(0, b"x" * 1000)
    assert client.unpack(server.pack(Frame(MORE, b"y"))) == Frame(MORE, b"y")


def test_nobody_is_known_before_the_handshake_is_over():
    server, client = mechanism(), CurveClient(SERVER[0], ADA)
    assert server.begin() == b""
    server.command(client.hello())
    assert (server.user_id, server.peer_metadata) == ("", None)


def test_a_stranger():
    server, client = mechanism(), CurveClient(SERVER[0], nacl.crypto_box_keypair())
    with refused("stranger", "its key is not allowed"):
        server.command(client.initiate(server.command(client.hello())))
    assert server.peer_metadata is None


def test_a_client_that_means_another_server():
    server, client = mechanism(), CurveClient(nacl.crypto_box_keypair()[0], ADA)
    with refused("bad_handshake", "cannot be opened"):
        server.command(client.hello())


def test_whoever_has_only_a_public_key_is_not_its_owner():
    server, client = mechanism(), CurveClient(SERVER[0], (ADA[0], nacl.crypto_box_keypair()[1]))
    with refused("bad_handshake", "cannot be opened"):
        server.command(client.initiate(server.command(client.hello())))


@pytest.mark.parametrize("vouched", ["transient", "server"])
def test_a_vouch_made_for_something_else(vouched):
    server, client = mechanism(), CurveClient(SERVER[0], ADA)
    client.vouch_for = bytes(32) + SERVER[0] if vouched == "transient" else client.transient[0] + bytes(32)
    with refused("bad_handshake", "vouch"):
        server.command(client.initiate(server.command(client.hello())))


def test_a_cookie_of_another_connection():
    client = CurveClient(SERVER[0], ADA)
    initiate = client.initiate(mechanism().command(client.hello()))
    other = mechanism()
    other.command(CurveClient(SERVER[0], ADA).hello())
    with refused("bad_handshake", "cannot be opened"):
        other.command(initiate)


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-1],
        lambda b: b + b"\0",
        lambda b: b"\x05HELLO\x02\x00" + b[8:],
        lambda b: b"\x05HELLA" + b[6:],
        lambda b: b[:150] + b"\x55" + b[151:],
    ],
)
def test_a_hello_that_is_damaged(damage):
    with refused("bad_handshake"):
        mechanism().command(damage(CurveClient(SERVER[0], ADA).hello()))


def test_a_hello_whose_signature_is_not_zero():
    with refused("bad_handshake", "signature"):
        mechanism().command(CurveClient(SERVER[0], ADA).hello(signature=b"\1" + bytes(63)))


def test_commands_out_of_their_place():
    client = CurveClient(SERVER[0], ADA)
    server = mechanism()
    hello = client.hello()
    initiate = client.initiate(server.command(hello))
    with refused("bad_handshake", "INITIATE"):
        server.command(hello)
    with refused("bad_handshake", "INITIATE"):
        server.command(initiate[:200])
    server.command(initiate)
    with refused("bad_handshake", "complete"):
        server.command(initiate)
    with refused("bad_handshake", "HELLO"):
        mechanism().command(initiate)


def test_a_message_that_is_sent_twice_is_refused():
    server, client = connected()
    packed = client.pack(Frame(0, b"x"))
    server.unpack(packed)
    with refused("bad_frame", "nonce"):
        server.unpack(packed)


def test_an_initiate_with_the_nonce_of_hello_is_refused():
    server, client = mechanism(), CurveClient(SERVER[0], ADA)
    welcome = server.command(client.hello())
    client.nonce = 0
    with refused("bad_frame", "nonce"):
        server.command(client.initiate(welcome))


@pytest.mark.parametrize(
    "damage",
    [lambda b: b[:32], lambda b: b"\x07MESSAGA" + b[8:], lambda b: b[:0], lambda b: b[:-1] + bytes([b[-1] ^ 1])],
)
def test_a_message_that_is_damaged(damage):
    server, client = connected()
    with refused("bad_frame"):
        server.unpack(Frame(0, damage(client.pack(Frame(0, b"hello")).body)))


def test_a_command_in_parts_is_refused():
    server, client = connected()
    with refused("bad_frame", "several parts"):
        server.unpack(client.pack_raw(b"\x03x"))


def test_libzmq_connects_speaks_and_keeps_its_heartbeat(tmp_path):
    with (
        served(tmp_path, guarded=(SERVER, lookup)) as rig,
        zmq.Context() as context,
        context.socket(zmq.DEALER) as client,
    ):
        client.linger = 0
        client.curve_serverkey = zmq.utils.z85.encode(SERVER[0])
        client.curve_publickey, client.curve_secretkey = map(zmq.utils.z85.encode, ADA)
        client.setsockopt(zmq.HEARTBEAT_IVL, 20)
        client.setsockopt(zmq.HEARTBEAT_TIMEOUT, 5000)
        client.connect(rig.endpoint)
        client.send(b"hello")
        identity, message, user = rig.receive()
        assert (message, user) == ([b"hello"], "agent/ada")
        rig.know(identity)
        client.send_multipart([b"head", b"x" * 200_000])
        assert rig.receive() == (identity, [b"head", b"x" * 200_000], "agent/ada")
        rig.server.send(identity, [b"a", b"b" * 100_000])
        assert rig.hear(client) == [b"a", b"b" * 100_000]
        for _ in range(20):
            rig.step(10)
        client.send(b"still here")
        assert rig.receive()[:2] == (identity, [b"still here"])


def test_libzmq_as_a_stranger_is_told_and_never_heard(tmp_path):
    counters = Counters()
    with (
        served(tmp_path, guarded=(SERVER, lookup), counters=counters, clock=ManualClock()) as rig,
        zmq.Context() as context,
        context.socket(zmq.DEALER) as client,
    ):
        client.linger = 0
        client.curve_serverkey = zmq.utils.z85.encode(SERVER[0])
        client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
        monitor = client.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        client.connect(rig.endpoint)
        client.send(b"let me in")
        while not monitor.poll(0):
            rig.step(10)
        assert rig.server.receive() is None
        client.disable_monitor()
        monitor.close(0)
    assert counters["test_refused_stranger"] >= 1


def test_the_shortest_initiate_is_one_without_metadata():
    server, client = mechanism(), CurveClient(SERVER[0], ADA)
    client.metadata = b""
    initiate = client.initiate(server.command(client.hello()))
    with refused("bad_handshake", "INITIATE was expected"):
        server.command(initiate[:-1])
    server.command(initiate)
    assert (server.user_id, server.peer_metadata) == ("agent/ada", {})


def test_a_message_without_flags_is_no_message():
    server, client = connected()
    with refused("bad_frame", "only MESSAGE is allowed"):
        server.unpack(client.pack_raw(b""))
    assert server.unpack(client.pack_raw(b"\0")) == Frame(0, b"")


def test_no_nonce_is_used_twice_to_a_client():
    """A repeated nonce would give away the key stream."""
    server, client = mechanism(), CurveClient(SERVER[0], ADA)
    ready = server.command(client.initiate(server.command(client.hello())))
    nonces = [ready[8:16], *(server.pack(Frame(0, b"x"))[10:18] for _ in range(3))]
    numbers = [int.from_bytes(nonce, "big") for nonce in nonces]
    assert numbers == list(range(numbers[0], numbers[0] + 4))


def test_a_command_of_the_server_s_is_marked_as_one():
    server, client = connected()
    body = server.pack(Frame(COMMAND, b"\x04PONG"))[2:]
    assert nacl.crypto_box_open_afternm(body[16:], b"CurveZMQMESSAGES" + body[8:16], client.shared) == b"\x02\x04PONG"
    assert server.unpack(client.pack(Frame(COMMAND, b"\x04PING\0\0"))) == Frame(COMMAND, b"\x04PING\0\0")
