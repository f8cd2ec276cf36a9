"""One connection's protocol without sockets: messages, answers, every limit."""

import pytest

from mien.errors import PeerError
from mien.transport.zmtp.framing import (
    COMMAND,
    MORE,
    Frame,
    encode_command,
    encode_frame,
    encode_metadata,
    greeting,
)
from mien.transport.zmtp.null import NullMechanism
from mien.transport.zmtp.peer import (
    FRAMES_A_PARSE,
    MAX_FRAME_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_PARTS,
    PENDING_BYTES,
    Peer,
)

ROUTER = {b"Socket-Type": b"ROUTER", b"Identity": b""}
READY = encode_command(b"READY", encode_metadata({b"Socket-Type": b"DEALER"}))


def new_peer():
    return Peer(NullMechanism(ROUTER), b"NULL", frozenset((b"DEALER", b"REQ")))


def ready_peer():
    peer = new_peer()
    peer.feed(greeting(b"NULL") + READY)
    peer.identify()
    return peer


def refused(code):
    return pytest.raises(PeerError, check=lambda error: error.code == code)


def test_the_handshake_in_single_bytes():
    peer, answers = new_peer(), b""
    assert peer.hello() == greeting(b"NULL")
    for byte in greeting(b"NULL") + READY:
        assert not peer.ready
        answers += peer.feed(bytes([byte]))
    assert peer.ready
    assert answers == encode_command(b"READY", encode_metadata(ROUTER))
    assert peer.user_id == ""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encode_frame(0, b"hello"), "bad_handshake"),
        (encode_command(b"HELLO", b""), "bad_handshake"),
        (encode_command(b"READY", encode_metadata({b"Socket-Type": b"SUB"})), "wrong_socket"),
        (encode_command(b"READY", b""), "wrong_socket"),
        (encode_frame(COMMAND, bytes(4097)), "frame_too_large"),
    ],
)
def test_handshakes_that_are_wrong(data, code):
    peer = new_peer()
    with refused(code):
        peer.feed(greeting(b"NULL") + data)
    assert not peer.ready


def test_messages_of_one_and_two_frames():
    peer = ready_peer()
    peer.feed(encode_frame(0, b"one") + encode_frame(MORE, b"head") + encode_frame(0, b"body"))
    assert peer.messages_bytes == 11
    assert [peer.take(), peer.take()] == [[b"one"], [b"head", b"body"]]
    assert peer.messages_bytes == 0


def test_an_unfinished_message_is_no_message():
    peer = ready_peer()
    peer.feed(encode_frame(MORE, b"head"))
    assert not peer.messages


def test_a_message_has_a_few_parts_and_never_many():
    peer = ready_peer()
    peer.feed(encode_frame(MORE, b"x") * (MAX_PARTS - 1) + encode_frame(0, b"y"))
    assert len(peer.take()) == MAX_PARTS
    with refused("endless_message"):
        peer.feed(encode_frame(MORE, b"x") * MAX_PARTS)


def test_a_message_never_grows_beyond_the_largest_frame_and_a_header():
    peer = ready_peer()
    peer.feed(encode_frame(MORE, bytes(MAX_FRAME_BYTES)))
    peer.feed(encode_frame(MORE, bytes(MAX_MESSAGE_BYTES - MAX_FRAME_BYTES)))
    with refused("endless_message"):
        peer.feed(encode_frame(MORE, b"x"))


def test_of_an_unidentified_peer_one_message_is_parsed_at_a_time():
    peer = new_peer()
    peer.feed(greeting(b"NULL") + READY)
    peer.feed(encode_frame(0, b"hello") + encode_frame(0, bytes(200_000)) + encode_frame(0, b"c"))
    assert (list(peer.messages), peer.full, peer.unparsed) == ([[b"hello"]], True, True)
    peer.take()
    peer.identify()
    peer.parse()
    assert [len(message[0]) for message in peer.messages] == [200_000, 1]
    assert not peer.full


@pytest.mark.parametrize("most", [1000, PENDING_BYTES])
def test_an_unidentified_peer_may_send_so_much_and_no_more(most):
    peer = Peer(NullMechanism(ROUTER), b"NULL", frozenset((b"DEALER",)), most)
    peer.feed(greeting(b"NULL") + READY + encode_frame(0, bytes(most)))
    assert peer.full
    peer.take()
    with refused("endless_message"):
        peer.feed(encode_frame(MORE, bytes(most)) + encode_frame(MORE, b"x"))
    with refused("frame_too_large"):
        new_peer().feed(greeting(b"NULL") + READY + encode_frame(0, bytes(PENDING_BYTES + 1))[:9])


def test_the_largest_frame_is_taken_and_no_larger():
    peer = ready_peer()
    peer.feed(encode_frame(0, bytes(MAX_FRAME_BYTES)))
    assert len(peer.take()[0]) == MAX_FRAME_BYTES
    with refused("frame_too_large"):
        peer.feed(encode_frame(0, bytes(MAX_FRAME_BYTES + 1))[:20])


def test_a_flood_of_small_frames_is_parsed_a_little_at_a_time():
    peer = ready_peer()
    peer.feed(encode_frame(0, b"x") * 150)
    assert (len(peer.messages), peer.unparsed, peer.full) == (FRAMES_A_PARSE, True, True)
    peer.messages.clear()
    peer.parse()
    assert (len(peer.messages), peer.unparsed) == (FRAMES_A_PARSE, True)
    peer.messages.clear()
    peer.parse()
    assert (len(peer.messages), peer.unparsed, peer.full) == (150 - 2 * FRAMES_A_PARSE, False, False)
    flood = encode_command(b"PING", b"\0\0") * 150
    assert len(peer.feed(flood)) == FRAMES_A_PARSE * len(encode_command(b"PONG", b""))
    assert peer.unparsed


def test_it_is_full_by_count_or_by_bytes():
    peer = ready_peer()
    peer.feed(encode_frame(0, b"") * 63)
    assert not peer.full
    peer.feed(encode_frame(0, b""))
    assert peer.full
    peer.take()
    assert not peer.full
    peer = ready_peer()
    peer.feed(encode_frame(0, bytes(MAX_FRAME_BYTES - 1)))
    assert not peer.full
    peer.feed(encode_frame(0, b"x"))
    assert peer.full


def test_a_ping_is_answered_and_what_is_unknown_passed_over():
    peer = ready_peer()
    assert peer.feed(encode_command(b"PING", b"\0\x0a" + b"context")) == encode_command(b"PONG", b"context")
    assert peer.feed(encode_command(b"PING", b"\0\x0a" + bytes(17))) == encode_command(b"PONG", bytes(16))
    assert peer.feed(encode_command(b"PONG", b"") + encode_command(b"LATER", b"x")) == b""
    assert not peer.messages


def test_a_ping_between_the_parts_of_a_message():
    peer = ready_peer()
    peer.feed(encode_frame(MORE, b"a") + encode_command(b"PING", b"\0\0") + encode_frame(0, b"b"))
    assert peer.take() == [b"a", b"b"]


def test_packing():
    peer = ready_peer()
    assert peer.pack([b"one"]) == encode_frame(0, b"one")
    assert peer.pack([b"head", b"body"]) == encode_frame(MORE, b"head") + encode_frame(0, b"body")


class Doubling:
    """A mechanism that changes every frame, to verify that each passes through it."""

    def __init__(self):
        self.user_id, self.peer_metadata = "role/name", {b"socket-type": b"DEALER"}

    def begin(self):
        return b"begin"

    def command(self, body):
        return b"answer"

    def pack(self, frame):
        return b"<%d:%s>" % frame

    def unpack(self, frame):
        return Frame(frame.flags, frame.body * 2)


def test_the_mechanism_packs_and_unpacks_every_frame():
    peer = Peer(Doubling(), b"CURVE", frozenset((b"DEALER",)))
    peer.identify()
    assert peer.feed(greeting(b"CURVE") + encode_command(b"X", b"")) == b"beginanswer"
    peer.feed(encode_frame(0, b"ab"))
    assert (peer.take(), peer.user_id) == ([b"abab"], "role/name")
    assert peer.pack([b"x", b"y"]) == b"<1:x><0:y>"


def test_the_bounds_are_above_all_that_is_legal_and_not_much():
    assert (MAX_FRAME_BYTES, MAX_PARTS, MAX_MESSAGE_BYTES) == (256 * 1024, 8, 288 * 1024)
    assert (PENDING_BYTES, FRAMES_A_PARSE) == (32 * 1024, 64)


def test_a_handshake_may_take_four_kilobytes_a_frame():
    padding = encode_metadata({b"X": bytes(4096 - 6 - 1 - 1 - 4 - len(encode_metadata({b"Socket-Type": b"DEALER"})))})
    ready = encode_command(b"READY", encode_metadata({b"Socket-Type": b"DEALER"}) + padding)
    assert len(ready) == 9 + 4096
    peer = new_peer()
    peer.feed(greeting(b"NULL") + ready)
    assert peer.ready


def test_what_is_not_a_command_ends_a_handshake_that_has_begun():
    peer = new_peer()
    peer.feed(greeting(b"NULL"))
    with refused("bad_handshake"):
        peer.feed(encode_frame(MORE, b"\x05READY"))


def test_the_bytes_of_a_message_in_parts_do_not_count_for_the_next():
    peer = ready_peer()
    for _ in range(3):
        peer.feed(encode_frame(MORE, bytes(MAX_FRAME_BYTES)) + encode_frame(0, b"x"))
        assert peer.messages_bytes == MAX_FRAME_BYTES + 1
        peer.take()
    assert peer.messages_bytes == 0
