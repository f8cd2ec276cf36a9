"""Engines behind a URL: what they send, how they stream, and what a server that hangs or lies costs."""

import json
import threading
import time

import pytest

from converse.url_server import DONE, UrlServer, event
from mien.converse.hear.url import UrlRecogniser
from mien.converse.history import STAFF_NOTE, Exchange
from mien.converse.http_url import HttpUrl
from mien.converse.speak.url import UrlSynthesiser
from mien.converse.think.base import Part, Question
from mien.converse.think.chat import ChatThinker
from mien.errors import ConverseError


@pytest.fixture
def server():
    made = UrlServer()
    yield made
    made.close()


def thinker(server, **options):
    made = ChatThinker(server.url, model_for_knowledge=False, **{"timeout_s": 5.0, **options})
    made.load()
    return made


class TestChat:
    def test_sentences_come_while_the_rest_is_still_being_thought(self, server):
        server.answers = [[event("We are op"), event("en. And we"), server.HANG]]
        answer = thinker(server).think(Question("When are you open?"))
        assert next(answer) == Part(text="We are open.")

    def test_the_request_has_the_facts_and_what_was_heard(self, server, tmp_path):
        server.answers = [[event("Yes."), DONE]]
        key = tmp_path / "key"
        key.write_text("secret-token\n")
        asked = thinker(server, model="small", key_file=str(key), prompt="Be kind.")
        history = (Exchange("Hello", "Good morn"),)
        assert list(asked.think(Question("Where is the toilet?", "en", history))) == [Part(text="Yes.")]
        path, headers, body = server.requests[0]
        sent = json.loads(body)
        assert path == "/v1/chat/completions"
        assert headers["Authorization"] == "Bearer secret-token"
        assert (sent["model"], sent["stream"]) == ("small", True)
        system, *said = sent["messages"]
        assert system["content"].startswith("Be kind.")
        assert "behind the stairs" in system["content"]
        assert [message["content"] for message in said] == ["Hello", "Good morn", "Where is the toilet?"]

    def test_a_whisper_is_told_to_the_model_and_is_no_word_of_the_customer(self, server):
        server.answers = [[event("Yes."), DONE]]
        note = Exchange(STAFF_NOTE, "Refunded.", staff=True)
        asked = Question("When is the tour?", "en", (note,), ("It is cancelled.", "Be kind."))
        assert list(thinker(server).think(asked)) == [Part(text="Yes.")]
        system, *said = json.loads(server.requests[0][2])["messages"]
        assert system["content"].endswith("- It is cancelled.\n- Be kind.")
        assert [message["content"] for message in said] == [STAFF_NOTE, "Refunded.", "When is the tour?"]
        assert [message["role"] for message in said] == ["user", "assistant", "user"]

    def test_a_tool_becomes_an_action_and_unknown_ones_do_not(self, server):
        calls = [{"index": 0, "function": {"name": "hand_"}}, {"index": 1, "function": {"name": "rm_rf"}}]
        rest = [{"index": 0, "function": {"name": "over", "arguments": "{}"}}]
        server.answers = [[event("I call somebody."), event(tool_calls=calls), event(tool_calls=rest), DONE]]
        assert list(thinker(server).think(Question("Help!"))) == [
            Part(text="I call somebody."),
            Part(action="hand_over"),
        ]

    def test_a_server_that_hangs_in_mid_sentence_is_given_up(self, server):
        server.answers = [[event("First. And then"), server.HANG]]
        answer = thinker(server, timeout_s=0.3).think(Question("Hm?"))
        assert next(answer) == Part(text="First.")
        with pytest.raises(ConverseError, match=r"did not answer for 0\.3 s"):
            next(answer)

    def test_cancel_from_another_thread_breaks_off(self, server):
        server.answers = [[event("First. And then"), server.HANG]]
        asked = thinker(server, timeout_s=60.0)
        answer = asked.think(Question("Hm?"))
        next(answer)
        threading.Timer(0.1, asked.cancel).start()
        began_s = time.monotonic()
        with pytest.raises(ConverseError):
            list(answer)
        assert time.monotonic() - began_s < 30

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ((500, b"overloaded"), "answered 500"),
            ((200, b"<html>Welcome</html>"), "did not stream its answer"),
            ((200, b'data: {"error": 1}\n\n'), "answered a chat with"),
            ((200, b""), "did not stream its answer"),
        ],
    )
    def test_rubbish_is_told(self, server, answer, said):
        server.answers = [answer]
        with pytest.raises(ConverseError, match=said):
            list(thinker(server).think(Question("Hm?")))


class TestTranscription:
    def test_an_utterance_is_sent_as_a_wav(self, server):
        server.answers = [b'{"text": " Where is the toilet? "}']
        made = UrlRecogniser(server.url, "tiny")
        assert made.recognise(bytes(32000), "en").text == "Where is the toilet?"
        path, headers, body = server.requests[0]
        assert path == "/v1/audio/transcriptions"
        assert headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert b"RIFF" in body
        assert b'name="language"\r\n\r\nen' in body
        assert len(body) > 32000

    @pytest.mark.parametrize("answer", [b"[]", b"{}", b'{"text": 3}', b"oops"])
    def test_rubbish_is_told(self, server, answer):
        server.answers = [answer]
        with pytest.raises(ConverseError, match="answered a transcription with"):
            UrlRecogniser(server.url).recognise(bytes(32000), "en")


class TestSpeech:
    def test_sound_comes_in_pieces_of_whole_samples(self, server):
        server.answers = [[b"\x01\x00\x02", b"\x00\x03\x00"]]
        sounds = list(UrlSynthesiser(server.url, voice="nova").speak("Hello.", "en", 1.5))
        assert b"".join(sound.pcm for sound in sounds) == b"\x01\x00\x02\x00\x03\x00"
        assert {len(sound.pcm) % 2 for sound in sounds} == {0}
        assert sounds[0].rate_hz == 24000
        sent = json.loads(server.requests[0][2])
        assert (sent["input"], sent["voice"], sent["speed"], sent["response_format"]) == ("Hello.", "nova", 1.5, "pcm")


def test_a_server_that_is_not_there():
    with pytest.raises(ConverseError, match="cannot be reached"):
        list(HttpUrl("http://127.0.0.1:1/v1", "", 2.0).post("/x", b"", "text/plain"))


@pytest.mark.parametrize("url", ["ftp://host/v1", "localhost:8000", "http://"])
def test_a_url_that_is_none(url):
    with pytest.raises(ConverseError, match="is not http://HOST"):
        HttpUrl(url, "", 1.0)


def test_a_key_that_cannot_be_read():
    with pytest.raises(ConverseError, match="the key cannot be read"):
        HttpUrl("http://host/v1", "/nonexistent/key", 1.0).load()
