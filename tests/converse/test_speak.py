"""Speech: cache, trimming, word times, sentences of a stream, latencies."""

import shutil

import numpy as np
import pytest

from mien.converse.latency import Latencies, Measured
from mien.converse.speak.base import Sound
from mien.converse.speak.cache import SpeechCache
from mien.converse.speak.programs import ProgramSynthesiser
from mien.converse.speak.trim import trimmed
from mien.converse.speak.word_times import spread
from mien.converse.think.sentences import LONGEST_CHARS, Sentences
from mien.errors import ConfigError, ConverseError

MS = 1_000_000
HELLO = Sound(b"\x01\x02" * 100, 22050, (("Hello.", 0, 400),))


class TestCache:
    def test_it_gives_back_what_it_got(self, tmp_path):
        SpeechCache(tmp_path, "piper", "joe").put("Hello.", "en", 1.0, HELLO)
        assert SpeechCache(tmp_path, "piper", "joe").get("Hello.", "en", 1.0) == HELLO

    @pytest.mark.parametrize(
        ("engine", "voice", "text", "speed"),
        [("flite", "joe", "Hello.", 1.0), ("piper", "amy", "Hello.", 1.0), ("piper", "joe", "Hello!", 1.0),
         ("piper", "joe", "Hello.", 0.8)],
    )  # fmt: skip
    def test_another_voice_text_or_speed_is_another_sound(self, tmp_path, engine, voice, text, speed):
        SpeechCache(tmp_path, "piper", "joe").put("Hello.", "en", 1.0, HELLO)
        assert SpeechCache(tmp_path, engine, voice).get(text, "en", speed) is None

    def test_a_damaged_file_is_made_again(self, tmp_path):
        cache = SpeechCache(tmp_path, "piper", "joe")
        cache.put("Hello.", "en", 1.0, HELLO)
        (file,) = tmp_path.iterdir()
        file.write_bytes(file.read_bytes()[:-5])
        assert cache.get("Hello.", "en", 1.0) is None
        assert not list(tmp_path.iterdir())

    def test_it_does_not_grow_without_end(self, tmp_path):
        cache = SpeechCache(tmp_path, "piper", "joe", max_bytes=1000)
        for number in range(20):
            cache.put(f"Number {number}.", "en", 1.0, HELLO)
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 1000
        assert cache.get("Number 19.", "en", 1.0) == HELLO

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ConfigError, match=r"converse\.cache: .*: Not a directory"):
            SpeechCache(tmp_path / "file" / "cache", "piper", "joe")


def test_silence_around_a_sentence_is_removed():
    sound = np.zeros(16000, "<i2")
    sound[4000:8000] = 5000
    cut = np.frombuffer(trimmed(sound.tobytes(), 16000), "<i2")
    assert int(np.argmax(cut != 0)) == 80
    assert len(cut) == 80 + 4000 + 60 * 16 - 1
    assert trimmed(bytes(2000), 16000) == b""


def test_words_share_the_time_by_their_length():
    words = spread("Yes, twelve euros.", 1500)
    assert [word for word, _, _ in words] == ["Yes,", "twelve", "euros."]
    assert words[0][1] == 0
    assert words[-1][2] == 1500
    assert all(end > start for _, start, end in words)
    assert words[1][1] > words[0][2], "a comma takes time"


class TestSentences:
    def parts(self, *pieces):
        made, found = Sentences(), []
        for piece in pieces:
            found += made.add(piece)
        return found, made.finish()

    def test_a_sentence_is_complete_with_the_blank_behind_it(self):
        assert self.parts("We are o", "pen. And ", "closed") == (["We are open."], ["And closed"])

    def test_numbers_and_short_forms_do_not_end_one(self):
        assert self.parts("It costs 3.50 euros, Dr. Winter. ", "Yes.")[0] == ["It costs 3.50 euros, Dr. Winter."]

    def test_markup_is_not_read_aloud(self):
        assert self.parts("**Bold** and [a link](http://x.org) `code`.\n")[0] == ["Bold and a link code."]

    def test_a_piece_without_an_end_is_cut_at_a_comma(self):
        found, _ = self.parts("word " * 30 + "comma, " + "word " * 40)
        assert found[0].endswith("comma,")
        assert all(len(text) <= LONGEST_CHARS for text in found)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="apt-get install espeak-ng")
class TestPrograms:
    def test_speed_changes_the_length(self):
        made = ProgramSynthesiser("espeak-ng")
        made.load()
        normal, slow = (sum(len(s.pcm) for s in made.speak("Good morning to you.", "en", v)) for v in (1.0, 0.6))
        assert slow > 1.25 * normal

    def test_text_is_no_option(self):
        assert list(ProgramSynthesiser("espeak-ng").speak("--version", "en", 1.0))

    def test_an_unknown_voice_is_told(self):
        with pytest.raises(ConverseError, match="espeak-ng has no voice for 'xx'"):
            list(ProgramSynthesiser("espeak-ng").speak("Hello", "xx", 1.0))


def test_stages_add_up():
    one = Measured(0, 450 * MS, 300 * MS, 310 * MS, 460 * MS, sent_ns=520 * MS, heard_ns=600 * MS)
    stages = one.stages_ms()
    assert stages == {
        "endpoint": 450, "recognition": 10, "answer": 0, "first audio": 60, "preroll": 80, "all": 600
    }  # fmt: skip
    late = Measured(0, 450 * MS, 900 * MS, 950 * MS, 910 * MS, sent_ns=960 * MS, heard_ns=1000 * MS).stages_ms()
    assert late["recognition"] == 460
    assert late["answer"] == 40
    table = {row[0]: row[1:] for row in Latencies([one]).table()}
    assert table["all"] == (600, 600)
