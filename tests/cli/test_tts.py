"""TTS engines as streams: substitutes written in Python, and the installed engines."""

import struct
import sys

import pytest

from mien.cli.tts import Engine, SpeechError, find_engine, synthesize

HEADER = b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data"


@pytest.fixture
def make_engine(tmp_path):
    """An engine whose program is Python code, with HEADER defined; the text is argv[1] or stdin."""

    def make(code, *, whole=True, file=False, package="test-tts"):
        path = tmp_path / "engine.py"
        path.write_text(f"import sys, time, struct\nHEADER = {HEADER!r}\nout = sys.stdout.buffer\n{code}\n")

        def command(text, voice):
            extra = ["{wav}"] if file else []
            return [sys.executable, str(path), "" if whole else text, voice, *extra]

        return Engine("test", sys.executable, package, "default", whole, command)

    return make


def speak(engine, text="Hello.", **arguments):
    with synthesize(text, engine, **arguments) as speech:
        return b"".join(speech.chunks())


def test_text_goes_in_and_pcm_comes_out(make_engine):
    engine = make_engine("out.write(HEADER + b'\\xff\\xff\\xff\\xff' + sys.stdin.buffer.read() + sys.argv[2].encode())")
    with synthesize("äb", engine) as speech:
        assert speech.rate_hz == 8000
        assert b"".join(speech.chunks()) == "äbdefault".encode()


def test_chunks_come_before_the_engine_is_done(make_engine):
    engine = make_engine("out.write(HEADER + b'\\xff\\xff\\xff\\xff' + b'ab' * 100); out.flush(); time.sleep(600)")
    with synthesize("Hello", engine) as speech:
        assert next(speech.chunks()) == b"ab" * 100


def test_an_engine_that_does_not_stream_gets_a_sentence_at_a_time(make_engine):
    engine = make_engine(
        "t = sys.argv[1].encode(); t += b' ' * (len(t) % 2)\nout.write(HEADER + struct.pack('<I', len(t)) + t)",
        whole=False,
    )
    assert speak(engine, "One. Two!  Three? Four") == b"One.Two!Three?Four"


def test_an_engine_that_writes_a_file(make_engine):
    code = "open(sys.argv[3], 'wb').write(HEADER + struct.pack('<I', 4) + b'abcd')"
    engine = make_engine(code, whole=False, file=True)
    assert speak(engine) == b"abcd"


def test_another_voice_and_rate(make_engine):
    engine = make_engine("out.write(HEADER + b'\\xff\\xff\\xff\\xff' + bytes(1600) if sys.argv[2] == 'x' else b'')")
    with synthesize("Hello", engine, "x") as speech:
        assert len(b"".join(speech.chunks(16000))) == 3200


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('no such voice', file=sys.stderr); sys.exit(1)", "no such voice"),
        ("sys.exit(0)", "no error output"),
        (
            "out.write(HEADER + b'\\xff\\xff\\xff\\xff' + bytes(8)); print('broke', file=sys.stderr); sys.exit(3)",
            "broke",
        ),
    ],
)
def test_an_engine_that_fails_is_quoted(make_engine, code, words):
    with pytest.raises(SpeechError, match=words):
        speak(make_engine(code))


@pytest.mark.parametrize("text", ["", "  \n"])
@pytest.mark.parametrize("whole", [True, False])
def test_an_empty_text_is_told(make_engine, text, whole):
    with pytest.raises(SpeechError, match="empty"):
        synthesize(text, make_engine("", whole=whole))


def test_a_missing_engine_names_its_package():
    missing = Engine("missing", "mien-no-such-program", "missing-tts", "", True, lambda *_: ["mien-no-such-program"])
    for name in ("", "missing"):
        with pytest.raises(SpeechError, match="apt-get install missing-tts"):
            find_engine(name, [missing])
    with pytest.raises(SpeechError, match="unknown engine 'other'"):
        find_engine("other", [missing])
    with pytest.raises(SpeechError, match="apt-get install missing-tts"):
        synthesize("Hello", missing)


def test_the_first_installed_engine_is_taken(make_engine):
    missing = Engine("missing", "mien-no-such-program", "missing-tts", "", True, lambda *_: [])
    present = make_engine("")
    assert find_engine("", [missing, present]) is present


@pytest.mark.parametrize("name", ["espeak-ng", "flite"])
def test_the_engines_of_debian_speak(name):
    engine = find_engine(name)
    for text in ("Hello there. How are you?", "-v is an option"):
        with synthesize(text, engine) as speech:
            assert speech.rate_hz >= 8000
            assert sum(map(len, speech.chunks(16000))) / 32000 > 0.5
