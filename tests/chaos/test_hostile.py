"""What hostile clients say is what it should be, comes from its seed, and stays on this machine."""

import contextlib
import random
import socket
import threading

import pytest
import zmq

from chaos import fuzz, fuzz_ear, hostile_messages
from chaos.fuzz_bytes import stream
from chaos.hostile import Order
from chaos.hostile_bytes import good_stream, mutate
from chaos.zmtp import LONG, MORE, Gone, Peer, command, frame, message
from mien.core import ear_bus, wire
from mien.errors import BusError, ProtocolError


def test_frames_are_zmtps():
    assert frame(b"ab", MORE) == b"\x01\x02ab"
    assert frame(bytes(256)) == bytes([LONG]) + (256).to_bytes(8, "big") + bytes(256)
    assert message([b"a", b""]) == b"\x01\x01a\x00\x00"
    assert command(b"PING", b"\0\1x") == b"\x04\x08\x04PING\0\1x"


def test_a_peer_by_hand_talks_with_libzmq():
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")
    with Peer(("127.0.0.1", port)) as peer:
        peer.open(identity=b"me")
        peer.send(message([b"one", b"two" * 200]))
        assert router.recv_multipart() == [b"me", b"one", b"two" * 200]
        router.send_multipart([b"me", b"back"])
        assert peer.message(10.0) == [b"back"]
        assert peer.message(0.05) is None
    context.destroy(linger=0)


def test_a_peer_whose_other_side_is_gone_says_so(tmp_path):
    with pytest.raises(Gone):
        Peer(str(tmp_path / "nobody.sock"))
    here, there = socket.socketpair()
    there.close()
    peer = Peer.__new__(Peer)
    peer.socket, peer._kept = here, bytearray()
    with pytest.raises(Gone):
        peer.frame()
    here.close()


def test_fuzzed_messages_come_from_their_seed_and_are_of_every_sort():
    one, same = ([fuzz.frames(random.Random(7)) for _ in range(3)] for _ in range(2))
    assert one == same
    chance, codes = random.Random(1), set()
    for _ in range(3000):
        try:
            wire.decode_client(fuzz.frames(chance)[0])
            codes.add("good")
        except ProtocolError as error:
            codes.add(error.code)
    assert {"good", "malformed", "unknown_message"} <= codes


def test_fuzzed_messages_never_change_the_volume_of_others():
    chance = random.Random(2)
    for _ in range(20_000):
        with contextlib.suppress(ProtocolError):
            assert not isinstance(wire.decode_client(fuzz.frames(chance)[0]), wire.Volume)


def test_fuzzed_reports_of_an_ear_come_from_their_seed_and_are_of_every_sort():
    assert fuzz_ear.frames(random.Random(7)) == fuzz_ear.frames(random.Random(7))
    chance, kinds = random.Random(1), set()
    for _ in range(2000):
        frames = fuzz_ear.frames(chance)
        try:
            kinds.add(type(ear_bus.decode_from_ear(frames[0])))
        except BusError:
            kinds.add(BusError)
    assert kinds == {*ear_bus.EarToVoice.__args__, BusError}
    assert stream(random.Random(3), b"PUSH", ear=True) != stream(random.Random(3), b"PUSH")


def test_spoiled_streams_differ_from_good_ones_and_come_from_their_seed():
    good = good_stream(random.Random(1), b"DEALER")
    assert mutate(random.Random(2), good) == mutate(random.Random(2), good) != good
    assert stream(random.Random(3), b"DEALER") == stream(random.Random(3), b"DEALER")


def test_a_hostile_client_refuses_to_leave_the_machine():
    order = Order({"where": "tcp"}, {"tcp": ["192.0.2.1", 5570], "ipc": "/tmp/x.sock"})
    with pytest.raises(ValueError, match="not loopback"):
        order.door()
    assert order.address("ipc") == "/tmp/x.sock"


def test_a_pause_that_never_ends_is_noticed(tmp_path):
    """Against a voice that welcomes and then says nothing."""
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.bind(f"ipc://{tmp_path}/voice.sock")

    def welcome():
        identity, _ = router.recv_multipart()
        router.send_multipart([identity, b"\x81\xa4type\xa7welcome"])

    thread = threading.Thread(target=welcome)
    thread.start()
    order = Order({"where": "ipc", "seconds": 0.3}, {"ipc": f"{tmp_path}/voice.sock"})
    hostile_messages.hanging_pause(order)
    thread.join()
    context.destroy(linger=0)
    assert [wrong[:2] for wrong in order.wrong] == [("turns", "paused forever")]
