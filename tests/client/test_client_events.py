"""The exported names, captions that append, thumbnails."""

import asyncio
import contextlib
import threading
from typing import get_args

import pytest
import zmq

import mien.client
from mien.client import Disconnected, Event, Thumbnail, connect, connect_async
from mien.client._session import Session
from mien.core import bus, wire
from mien.core.stats import Counters
from mien.errors import ClientError
from mien.transport.bus import FaceBus
from rigs.services import running_voice
from rigs.voice_double import make_welcome
from rigs.voice_server import served_voice

NEVER_EVENTS = {wire.Pong, wire.Bye, wire.NearEnd, wire.Poses, wire.Heard}  # listen() and live() yield the payload too


@pytest.fixture
def service(tmp_path):
    with running_voice(tmp_path) as voice:
        yield voice


@contextlib.contextmanager
def drawn_face(run_dir):
    """A face that answers every request for a thumbnail with the width as its data."""
    stop, context = threading.Event(), zmq.Context()
    face = FaceBus(context, run_dir, Counters())

    def answer():
        while not stop.is_set():
            frames = face.receive(20)
            message = bus.decode_from_voice(frames[0]) if frames else None
            if isinstance(message, bus.ThumbnailRequest):
                data = str(message.width).encode()
                drawn = bus.Thumbnail(epoch=message.epoch, width=message.width, height=9, encoding="jpeg", data=data)
                face.report(bus.encode(drawn))

    thread = threading.Thread(target=answer, name="face")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        face.close()
        context.term()


def test_every_event_class_is_exported():
    messages, disconnected = get_args(Event)[:-1], get_args(Event)[-1]
    assert disconnected is Disconnected
    for kind in {*messages, disconnected} - NEVER_EVENTS:
        assert getattr(mien.client, kind.__name__) is kind
        assert kind.__name__ in mien.client.__all__


def test_every_exported_name_exists():
    assert all(hasattr(mien.client, name) for name in mien.client.__all__)
    assert sorted(mien.client.__all__) == list(mien.client.__all__)


def test_captions_append(voice):
    with connect(voice.endpoint) as agent:
        turn = agent.turn("t")
        turn.caption("Good")
        turn.caption(" morning", [("morning", 0, 500)], append=True)
        agent.caption("t", ".", append=True)
        agent.ping()
    told = [(caption.text, len(caption.words), caption.append) for caption in voice.received(wire.Caption)]
    assert told == [("Good", 0, False), (" morning", 1, True), (".", 0, True)]


def test_captions_append_with_asyncio(voice):
    async def talk():
        async with connect_async(voice.endpoint) as agent:
            turn = agent.turn("t")
            await turn.caption("Good")
            await turn.caption(" day", append=True)
            await agent.caption("t", ".", append=True)
            await agent.ping()

    asyncio.run(asyncio.wait_for(talk(), 20))
    told = [(caption.text, caption.append) for caption in voice.received(wire.Caption)]
    assert told == [("Good", False), (" day", True), (".", True)]


def test_a_thumbnail_of_the_face(service, tmp_path):
    with drawn_face(tmp_path), connect(service.endpoints[-1], role="observer") as eye:
        picture = eye.thumbnail(120)
        assert isinstance(picture, Thumbnail)
        assert (picture.width, picture.height, picture.encoding, picture.data) == (120, 9, "jpeg", b"120")
        assert eye.thumbnail().width == 96


def test_a_thumbnail_with_asyncio(service, tmp_path):
    async def look():
        async with connect_async(service.endpoints[-1], role="agent") as ada:
            pictures = await asyncio.gather(ada.thumbnail(64), ada.thumbnail(64), ada.ping())
            return pictures[:2]

    with drawn_face(tmp_path):
        assert [picture.data for picture in asyncio.run(asyncio.wait_for(look(), 20))] == [b"64", b"64"]


def test_without_a_face_there_is_no_thumbnail(service):
    with connect(service.endpoints[-1], role="observer") as eye:
        with pytest.raises(ClientError, match="the face did not answer") as caught:
            eye.thumbnail()
        assert (caught.value.code, caught.value.retryable) == ("no_thumbnail", True)


@pytest.mark.parametrize(("role", "width", "code"), [("speaker", 96, "not_allowed"), ("observer", 8, "malformed")])
def test_a_thumbnail_that_is_refused(service, role, width, code):
    with connect(service.endpoints[-1], role=role) as client:
        with pytest.raises(ClientError) as caught:
            client.thumbnail(width)
        assert caught.value.code == code
        assert client.connected


def test_a_voice_that_never_answers_a_thumbnail(voice):
    with connect(voice.endpoint) as client:
        with pytest.raises(ClientError) as caught:
            client.thumbnail(timeout_s=0.2)
        assert caught.value.code == "unreachable"
        assert client.connected


def test_a_voice_that_is_lost_while_a_thumbnail_is_awaited(endpoint):
    with served_voice(endpoint) as voice:
        client = connect(endpoint)
        timer = threading.Timer(0.3, voice.stop)
        timer.start()
        with pytest.raises(ClientError) as caught:
            client.thumbnail(timeout_s=30)
        assert caught.value.code == "unreachable"
        timer.join()
    client.close()


def test_a_thumbnail_that_is_refused_is_no_refusal_of_an_order_in_between():
    refusal = wire.Error(code="no_thumbnail", message="no face")
    session = Session(wire.Hello(protocol=1))
    session.greet(0.0)
    session.receive([wire.encode(make_welcome())], 0.0)
    session.receive([wire.encode(refusal)], 0.0)
    assert session.refused_order is None
    assert isinstance(session.thumbnail, ClientError)
    assert session.events.pop() == refusal
