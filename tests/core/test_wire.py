"""The public protocol: its bytes, its documentation, and whatever bytes a stranger may send."""

import json
import random
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mien.core import ear_bus, wire
from mien.errors import ProtocolError

VECTORS = Path(__file__).parent / "vectors"
PROTOCOL_PAGE = Path(wire.__file__).with_name("PROTOCOL.md").read_text(encoding="utf-8")
CLIENT_TYPES = wire.ClientMessage.__args__
VOICE_TYPES = wire.VoiceMessage.__args__


def vectors(name):
    rows = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(row, id=row["name"]) for row in rows]


def tag_of(kind):
    return kind.__struct_config__.tag


def from_fields(row, union):
    """A message from the JSON of a vector."""
    return msgspec.convert(row["fields"], union)


def refusal(header):
    with pytest.raises(ProtocolError) as caught:
        wire.decode_client(header)
    return caught.value


def written(default):
    """How the page may write a default."""
    if default is None:
        return ("nil",)
    if isinstance(default, bool):
        return (str(default).lower(),)
    if isinstance(default, int | float):
        return (f"{default:g}", f"1 to 64 characters, {default:g}")
    if default == wire.Topic.__args__[:4]:
        return ("the first four",)
    if not default:
        return ("empty",)
    return (f"`{default}`", f'"{default}"', f'1 to 64 characters, "{default}"', json.dumps(default))


def spoken_range(kind):
    """A field's bounds in the page's words; nothing for one without."""
    for part in (kind, *getattr(kind, "__args__", ())):
        for meta in getattr(part, "__metadata__", ()):
            if meta.ge is not None:
                return f"{meta.ge:g} and up" if meta.le is None else f"{meta.ge:g} to {meta.le:g}"
            if meta.min_length is not None:
                return f"{meta.min_length} to {meta.max_length} characters"
            return f"at most {meta.max_length}"
    return ""


class TestVectors:
    @pytest.mark.parametrize("row", vectors("client"))
    def test_of_the_client(self, row):
        message = from_fields(row, wire.ClientMessage)
        assert wire.encode(message).hex() == row["hex"]
        assert wire.decode_client(bytes.fromhex(row["hex"])) == message
        assert ("payload_hex" in row) == isinstance(message, wire.Audio)

    @pytest.mark.parametrize("row", vectors("voice"))
    def test_of_the_voice(self, row):
        message = from_fields(row, wire.VoiceMessage)
        assert wire.encode(message).hex() == row["hex"]
        assert wire.decode_voice(bytes.fromhex(row["hex"])) == message
        assert ("payload_hex" in row) == isinstance(message, wire.NearEnd | wire.Poses | wire.Heard)

    @pytest.mark.parametrize("row", vectors("accepted"))
    def test_other_encodings_are_taken(self, row):
        message = wire.decode_client(bytes.fromhex(row["hex"]))
        assert message == from_fields(row, wire.ClientMessage)

    @pytest.mark.parametrize("row", vectors("refused"))
    def test_bad_headers_are_refused(self, row):
        error = refusal(bytes.fromhex(row["hex"]))
        assert (error.code, error.turn, error.seq) == (row["code"], row["turn"], row["seq"])

    @pytest.mark.parametrize(("name", "union"), [("client", CLIENT_TYPES), ("voice", VOICE_TYPES)])
    def test_every_message_has_one(self, name, union):
        tags = {row.values[0]["fields"]["type"] for row in vectors(name)}
        assert tags == {tag_of(kind) for kind in union}


class TestPage:
    """PROTOCOL.md says what the source says."""

    def section(self, title):
        found = re.search(rf"^### {title}\n(.*?)(?=^##)", PROTOCOL_PAGE + "\n##", re.MULTILINE | re.DOTALL)
        assert found, f"PROTOCOL.md has no section '### {title}'"
        return found.group(1)

    @pytest.mark.parametrize("kind", [*CLIENT_TYPES, *VOICE_TYPES], ids=tag_of)
    def test_every_field_has_a_row(self, kind):
        documented = re.findall(r"^\| `(\w+)` \|", self.section(tag_of(kind)).split("| limits |")[0], re.MULTILINE)
        assert tuple(documented) == kind.__struct_encode_fields__

    @pytest.mark.parametrize("kind", [*CLIENT_TYPES, *VOICE_TYPES], ids=tag_of)
    def test_what_may_be_left_out_means_what_the_page_says(self, kind):
        cells = self.cells(kind)
        for field in msgspec.structs.fields(kind):
            if field.default is not msgspec.NODEFAULT:
                assert cells[field.encode_name].split("; ")[-1] in written(field.default), field.name

    @pytest.mark.parametrize("kind", CLIENT_TYPES, ids=tag_of)
    def test_ranges_are_those_of_the_page(self, kind):
        cells = self.cells(kind)
        for field in msgspec.structs.fields(kind):
            assert spoken_range(field.type) in cells[field.name], field.name

    def cells(self, kind):
        """field -> its range and default, as the page has them."""
        return dict(re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \|", self.section(tag_of(kind)), re.MULTILINE))

    def test_every_limit_has_a_row(self):
        rows = re.findall(r"^\| (`\w+`.*?) \|", self.section("welcome").split("| limits |")[1], re.MULTILINE)
        assert tuple(re.findall(r"`(\w+)`", " ".join(rows))) == wire.Limits.__struct_fields__

    @pytest.mark.parametrize("code", wire.ERROR_CODES)
    def test_every_error_has_a_row(self, code):
        assert f"| `{code}` | {wire.ERROR_CODES[code]} |" in PROTOCOL_PAGE

    @pytest.mark.parametrize("row", [*vectors("client"), *vectors("voice")])
    def test_every_vector_is_shown(self, row):
        section = self.section(row["fields"]["type"])
        blocks = [block.replace("\n", "") for block in re.findall(r"```\n(.*?)```", section, re.DOTALL)]
        payload = f"-- payload frame --{row['payload_hex']}" if "payload_hex" in row else ""
        assert row["hex"] + payload in blocks
        assert f"`{row['name']}`: `{json.dumps(row['fields'], ensure_ascii=False)}`" in section

    def test_the_closed_sets_are_named(self):
        for alias in (
            wire.AgentState,
            wire.EmotionName,
            wire.GestureName,
            wire.FinishReason,
            wire.Role,
            wire.Topic,
            wire.FloorChange,
            wire.ListenMode,
            wire.BargeInAction,
            wire.ChoicesState,
            wire.ChosenBy,
            wire.RelayKind,
            wire.RelayOutcome,
            wire.VisitPhase,
            wire.VisitReason.__args__[1:],
            wire.ScreenPower,
            (*ear_bus.EarState.__args__, "absent"),
        ):
            names = getattr(alias, "__args__", alias)
            assert ", ".join(f"`{name}`" for name in names) in PROTOCOL_PAGE

    def test_the_limits_are_as_in_the_source(self):
        assert f"at most {wire.MAX_HEADER_BYTES} bytes" in PROTOCOL_PAGE
        assert f"at most {wire.MAX_WORDS} words and {wire.MAX_CAPTION_CHARACTERS} characters" in PROTOCOL_PAGE
        assert f"at most {wire.MAX_PICTURE_BYTES} bytes" in PROTOCOL_PAGE
        assert f"at most {wire.MAX_PHONE_WORDS} words in phones" in PROTOCOL_PAGE


def test_a_header_may_be_as_large_as_the_limit_and_no_larger():
    header = wire.encode(wire.End(turn="t"))
    room = wire.MAX_HEADER_BYTES - len(header) - len(b"\xa1x\xc5..")
    padded = bytes([header[0] + 1]) + header[1:] + b"\xa1x\xc5" + room.to_bytes(2, "big") + bytes(room)
    assert len(padded) == wire.MAX_HEADER_BYTES
    assert wire.decode_client(padded) == wire.End(turn="t")
    assert refusal(padded + b"\0").code == "header_too_large"


@pytest.mark.parametrize("name", [row.values[0]["name"] for row in vectors("client")])
def test_a_header_that_is_cut_anywhere_is_malformed(name):
    header = next(bytes.fromhex(row.values[0]["hex"]) for row in vectors("client") if row.values[0]["name"] == name)
    for length in range(len(header)):
        assert refusal(header[:length]).code == "malformed"


@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1x", b"\xdd\0\0\0\1", b"\x81"])
@pytest.mark.parametrize("front", [b"", b"\x82\xa4type\xa5pause\xa1x"])
def test_deep_nesting_is_an_answer_and_not_a_crash(front, opening):
    header = front + opening * ((wire.MAX_HEADER_BYTES - len(front) - 1) // len(opening)) + b"\x01"
    try:
        assert wire.decode_client(header) == wire.Pause()
    except ProtocolError as error:
        assert error.code == "malformed"  # noqa: PT017 (msgspec may pass over what it ignores)


def test_the_error_names_the_turn_and_the_chunk_where_it_can():
    error = refusal(msgspec.msgpack.encode({"type": "caption", "turn": "t", "text": 5, "seq": 3}))
    assert (error.turn, error.seq) == ("t", 3)
    assert "$.text" in str(error)


@pytest.mark.parametrize("sign", ["\0", "\t", "\n", "\x1b", "\x1f", "\x7f", "\x80", "\x9f", "\u2028", "\u2029"])
@pytest.mark.parametrize("where", ["{}b", "a{}b", "a{}"])
@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("turn", {"type": "audio", "seq": 0}),
        ("turn", {"type": "end"}),
        ("turn", {"type": "interrupt"}),
        ("turn", {"type": "caption"}),
        ("client", {"type": "hello", "protocol": 1}),
    ],
    ids=["audio", "end", "interrupt", "caption", "hello"],
)
def test_a_name_with_a_control_character_is_refused_by_its_field_and_with_the_remedy(sign, where, field, fields):
    error = refusal(msgspec.msgpack.encode({**fields, field: where.format(sign)}))
    assert error.code == "malformed"
    assert f"in '{fields['type']}': {field}: a name is plain text, without control characters" in str(error)
    assert sign not in str(error)


@pytest.mark.parametrize(
    "name",
    [" ", "~", "\u00a0", "\u2027", "\u202a", "\ud7ff", "\ue000", "\U0010ffff", "日本語", "👩\u200d💻", "a b/c\\d%s{}"],
)
def test_other_names_are_taken(name):
    assert wire.decode_client(wire.encode(wire.End(turn=name))) == wire.End(turn=name)
    hello = wire.Hello(protocol=1, client=name)
    assert wire.decode_client(wire.encode(hello)) == hello


def test_an_unknown_type_is_quoted_so_that_it_cannot_forge_a_line():
    text = str(refusal(msgspec.msgpack.encode({"type": "a\nb"})))
    assert "\n" not in text
    assert r"'a\nb'" in text


def test_a_message_that_is_not_spoken_lists_those_that_are():
    text = str(refusal(msgspec.msgpack.encode({"type": "x" * 500})))
    assert "take_floor" in text
    assert len(text) < 400


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xc1",
        b"\x90",
        b"\x81\xa4type\xa4sing",
        b"\x81\xa4type\xa1\xff",
        b"\x83\xa4type\xa4pong\xa5nonce\x01\xa1x" + b"\x91" * 15_000 + b"\x01",
    ],
)
def test_what_the_voice_cannot_have_said_is_a_protocol_error(header):
    with pytest.raises(ProtocolError):
        wire.decode_voice(header)


def test_a_message_of_a_newer_voice_is_told_apart():
    with pytest.raises(ProtocolError) as caught:
        wire.decode_voice(msgspec.msgpack.encode({"type": "sing"}))
    assert caught.value.code == "unknown_message"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "end", "turn": ""}, "turn"),
        ({"type": "end", "turn": "t" * 65}, "turn"),
        ({"type": "audio", "turn": "t", "seq": -1}, "seq"),
        ({"type": "volume", "gain": 1.01}, "gain"),
        ({"type": "volume", "gain": -0.01}, "gain"),
        ({"type": "volume", "gain": 0.5, "fade_ms": 10_001}, "fade_ms"),
        ({"type": "emotion", "name": "happy", "intensity": 1.01}, "intensity"),
        ({"type": "look_at", "x": -1.01}, "x"),
        ({"type": "look_at", "y": 1.01}, "y"),
        ({"type": "get_thumbnail", "width": 31}, "width"),
        ({"type": "get_thumbnail", "width": 321}, "width"),
        ({"type": "caption", "turn": "t", "text": "x" * 4001}, "text"),
        ({"type": "caption", "turn": "t", "words": [["a", -1, 0]]}, "words"),
        ({"type": "caption", "turn": "t", "words": [["a" * 101, 0, 0]]}, "words"),
        ({"type": "caption", "turn": "t", "words": [["a", 0, 0]] * 2001}, "words"),
        ({"type": "hello", "protocol": 1, "capabilities": ["c"] * 33}, "capabilities"),
        ({"type": "relay", "kind": "say", "text": "", "id": "r"}, "text"),
        ({"type": "relay", "kind": "say", "text": "x" * 2001, "id": "r"}, "text"),
        ({"type": "relay", "kind": "say", "text": "x", "id": ""}, "id"),
        ({"type": "visit", "phase": "over", "duration_s": -1}, "duration_s"),
        ({"type": "visit", "phase": "over", "satisfaction": 1.01}, "satisfaction"),
        ({"type": "visit", "phase": "over", "questions": ["q"] * 21}, "questions"),
        ({"type": "visit", "phase": "over", "questions": ["q" * 201]}, "questions"),
        ({"type": "screen", "brightness": 0.04}, "brightness"),
        ({"type": "screen", "brightness": 1.01}, "brightness"),
        ({"type": "attend", "name": "n" * 65}, "name"),
    ],
)
def test_one_more_than_a_range_is_refused_with_its_field(fields, field):
    error = refusal(msgspec.msgpack.encode(fields)) if len(msgspec.msgpack.encode(fields)) < 16_384 else None
    assert error is not None
    assert error.code == "malformed"
    assert f"$.{field}" in str(error)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "end", "turn": "t"},
        {"type": "end", "turn": "t" * 64},
        {"type": "audio", "turn": "t", "seq": 0},
        {"type": "volume", "gain": 1.0, "fade_ms": 10_000},
        {"type": "volume", "gain": 0, "fade_ms": 0},
        {"type": "emotion", "name": "happy", "intensity": 0.0},
        {"type": "look_at", "x": -1.0, "y": 1.0},
        {"type": "get_thumbnail", "width": 32},
        {"type": "get_thumbnail", "width": 320},
        {"type": "caption", "turn": "t", "text": "x" * 4000},
        {"type": "caption", "turn": "t", "words": [["a" * 100, 0, 0]]},
        {"type": "caption", "turn": "t", "words": [["a", 0, 0]] * 2000},
        {"type": "hello", "protocol": 1, "capabilities": ["c"] * 32},
        {"type": "relay", "kind": "whisper", "text": "x" * 2000, "id": "r" * 64},
        {"type": "visit", "phase": "over", "questions": ["q" * 200] * 20, "satisfaction": 0},
        {"type": "screen", "brightness": 0.05},
        {"type": "attend", "name": "n" * 64},
    ],
)
def test_the_ends_of_a_range_are_taken(fields):
    message = wire.decode_client(msgspec.msgpack.encode(fields))
    assert message == wire.decode_client(wire.encode(message))


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": "relay", "kind": "shout", "text": "x", "id": "r"}, "kind"),
        ({"type": "relay_done", "id": "r", "outcome": "lost"}, "outcome"),
        ({"type": "visit", "phase": "lunch"}, "phase"),
        ({"type": "visit", "phase": "over", "reason": "bored"}, "reason"),
        ({"type": "screen", "power": "standby"}, "power"),
        ({"type": "subscribe", "topics": ["visits", "gossip"]}, "topics[1]"),
    ],
)
def test_a_value_outside_a_closed_set_is_refused_with_its_field_and_the_set(fields, field):
    error = refusal(msgspec.msgpack.encode(fields))
    assert error.code == "malformed"
    assert f"in '{fields['type']}': {field}: " in str(error)
    assert "is not one of" in str(error)


def test_the_rates_are_those_of_speech_and_of_opus():
    """RFC 6716: Opus has five rates; the voice takes them and the two families of sound cards beside."""
    assert wire.OPUS_RATES_HZ == (8000, 12000, 16000, 24000, 48000)
    assert set(wire.RATES_HZ) == {*wire.OPUS_RATES_HZ, 32000, 11025, 22050, 44100}
    assert wire.ENCODINGS == ("s16le", "opus")


def test_a_refusal_says_no_more_of_a_message_than_it_must():
    """A stranger's names go into logs and answers: at most 64 characters of a turn's, 40 of a type's."""
    error = refusal(msgspec.msgpack.encode({"type": "caption", "turn": "t" * 500, "text": 5}))
    assert error.turn == "t" * 64
    unknown = refusal(msgspec.msgpack.encode({"type": "x" * 500, "turn": "t" * 500}))
    assert unknown.turn == "t" * 64
    assert "x" * 40 in str(unknown)
    assert "x" * 41 not in str(unknown)
    for seq in (True, "3", 2.0, None):
        assert refusal(msgspec.msgpack.encode({"type": "audio", "turn": "t", "seq": seq})).seq == -1
    assert refusal(msgspec.msgpack.encode(["type", "end"])).code == "malformed"
    assert refusal(msgspec.msgpack.encode({"type": 5})).code == "malformed"
    assert refusal(msgspec.msgpack.encode({"turn": "t"})).code == "malformed"


# Fuzzing: whatever the bytes, a message that keeps to its own ranges, or a ProtocolError; never anything else.

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=70),
    st.binary(max_size=20),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=8,
)
FIELD_NAMES = sorted({field for kind in CLIENT_TYPES for field in kind.__struct_fields__} | {"type", "x1"})
TAGS = sorted(str(tag_of(kind)) for kind in CLIENT_TYPES)
ALMOST = st.builds(
    lambda tag, fields: {"type": tag, **fields},
    st.one_of(st.sampled_from(TAGS), st.text(max_size=8), SCALARS),
    st.dictionaries(st.sampled_from(FIELD_NAMES), VALUES, max_size=6),
)


def check(header):
    try:
        message = wire.decode_client(header)
    except ProtocolError as error:
        assert error.code in wire.ERROR_CODES  # noqa: PT017
        assert isinstance(error.turn, str)  # noqa: PT017
        assert len(error.turn) <= 64  # noqa: PT017
        assert type(error.seq) is int  # noqa: PT017
        wire.encode(wire.Error(code=error.code, message=str(error), turn=error.turn, seq=error.seq))
    else:
        assert wire.decode_client(wire.encode(message)) == message


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
@example(b"\x82\xa4type\xa5audio\xa4turn\xa1\xff")
@example(b"\x81\xa4type\xa1\xff")
@example(b"\x82\xa4type\xa3end\xa4turn\xa3\xed\xa0\x80")
def test_any_bytes(header):
    check(header)


@settings(max_examples=100, deadline=None)
@given(ALMOST)
@example({"type": "audio", "turn": "t", "seq": True})
@example({"type": "audio", "turn": "t", "seq": 2**64 - 1})
@example({"type": "sing", "seq": 2**64 - 1, "turn": "x" * 100})
def test_any_map(fields):
    check(msgspec.msgpack.encode(fields))


@pytest.mark.parametrize("seed", range(4))
def test_any_damage_to_a_good_header(seed):
    generator = random.Random(seed)
    headers = [bytes.fromhex(row.values[0]["hex"]) for row in vectors("client")]
    for _ in range(5000):
        damaged = bytearray(generator.choice(headers))
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        check(bytes(damaged))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
@example(b"\x81\xa4type\xa1\xff")
def test_any_bytes_from_the_voice(header):
    try:
        wire.decode_voice(header)
    except ProtocolError as error:
        assert error.code in ("malformed", "unknown_message")  # noqa: PT017


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"type": "state", "state": "asleep"}, "state: 'asleep' is not one of idle, listening, thinking"),
        ({"type": "hello", "protocol": 1, "role": "boss"}, "role: 'boss' is not one of speaker, agent, observer"),
        (
            {"type": "subscribe", "topics": ["state", "x"]},
            "topics[1]: 'x' is not one of state, captions, levels, health, calls, visits, poses, heard",
        ),
        ({"type": "state", "state": 3}, "Expected `str`, got `int` - at `$.state`"),
    ],
)
def test_an_error_about_an_enumeration_lists_its_values(fields, said):
    with pytest.raises(ProtocolError) as refused:
        wire.decode_client(msgspec.msgpack.encode(fields))
    assert refused.value.code == "malformed"
    assert str(refused.value) == f"in '{fields['type']}': {said}"


def test_what_an_older_voice_does_not_say_of_its_limits_is_nothing():
    limits = wire.Limits(
        max_chunk_bytes=1, max_header_bytes=2, max_buffer_ms=3, max_turn_ms=4, max_turns=5, turn_idle_timeout_ms=6
    )
    assert (limits.max_messages_per_s, limits.max_kb_per_s, limits.max_pause_ms) == (0, 0, 0)
    fields = {"turn": "t", "played_ms": 1.0, "interrupted": False, "reason": "played"}
    replaced = msgspec.convert(fields, wire.ReplacedTurn)
    assert (replaced.words_heard, replaced.last_word, replaced.barge_in_ms) == (0, "", None)
