"""The public protocol: the messages that clients exchange with mien-voice.

One ZeroMQ message is one msgpack header frame and, for `audio`, `near_end`, `heard` and `poses`, one payload frame
after it: mono s16le, one Opus packet, or frames of poses. A header is a map with the key "type"; the structs below are
those maps. Unknown fields are ignored, unknown types are an error. PROTOCOL.md in this folder documents every message
byte by byte; tests/core/vectors holds the same bytes.
"""

from typing import Annotated, Final, Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from mien.errors import ProtocolError

PROTOCOL_MAJOR: Final = 1
SUPPORTED_PROTOCOLS: Final = (PROTOCOL_MAJOR,)
RATES_HZ: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
MAX_HEADER_BYTES: Final = 16_384
ENCODINGS: Final = ("s16le", "opus")
OPUS_RATES_HZ: Final = (8000, 12000, 16000, 24000, 48000)
MAX_WORDS: Final = 4_000  # a turn's word times: half an hour of fast speech
MAX_CAPTION_CHARACTERS: Final = 16_000  # a turn's text: a quarter of an hour of fast speech
MAX_PHONE_WORDS: Final = 4_000  # a turn's words in phones
MAX_PICTURE_BYTES: Final = 131_072
MAX_QR_CHARACTERS: Final = 300
MAX_RELAY_CHARACTERS: Final = 2_000
MAX_VISIT_QUESTIONS: Final = 20
MAX_CHOICES: Final = 6  # a glance takes in no more, and a numeric pad has a key for each
MAX_CHUNK_BYTES: Final = 192_000  # two seconds at 48 kHz: a TTS burst that one step of the voice can still handle

# Names reach logs, status lines and the supervisor's environment: no C0, DEL, C1, line separators or lone surrogates.
NAME_PATTERN: Final = r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*\Z"
TurnId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=NAME_PATTERN)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=NAME_PATTERN)]
Unit: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
Signed: TypeAlias = Annotated[float, Meta(ge=-1.0, le=1.0)]
AgentState = Literal["idle", "listening", "thinking"]
EmotionName = Literal["neutral", "happy", "sad", "surprised", "angry", "concerned", "excited"]
GestureName = Literal["nod", "shake", "wink", "smile"]
FinishReason = Literal["played", "interrupted", "taken_over", "idle_timeout", "client_gone", "sink_lost", "shutdown"]
Role = Literal["speaker", "agent", "observer"]
Topic = Literal["state", "captions", "levels", "health", "calls", "visits", "poses", "heard"]
FloorChange = Literal["taken", "released", "vanished", "idle_timeout"]
ResumeReason = Literal["pause_timeout", "other_client", "taken_over"]
ListenMode = Literal["off", "speech", "always"]
BargeInAction = Literal["ducked", "paused", "interrupted", "resumed"]
ChoicesState = Literal["shown", "replaced", "no_face"]
ChosenBy = Literal["touch", "mouse", "key"]
RelayKind = Literal["say", "whisper", "note"]
RelayOutcome = Literal["said", "cut", "kept", "unused"]
VisitPhase = Literal[
    "attract", "presence", "greeting", "consent", "conversation", "extension", "calling", "person", "goodbye", "over"
]
VisitReason = Literal[
    "", "word", "touch", "silence", "left", "no_consent", "person", "shutdown", "client_gone", "replaced"
]
ScreenPower = Literal["auto", "on", "off"]

ERROR_CODES: Final = {
    "malformed": "the header is not msgpack, or a field is missing or out of range",
    "unknown_message": "this message type is unknown",
    "no_hello": "the first message of a connection must be hello",
    "protocol_version": "this protocol version is not supported",
    "unsupported_rate": "this sample rate is not supported",
    "unsupported_encoding": "this encoding is not supported",
    "odd_bytes": "s16le audio has an even number of bytes",
    "missing_payload": "audio needs exactly one payload frame",
    "unexpected_payload": "this message takes no payload frame",
    "chunk_too_large": "the audio chunk is larger than limits.max_chunk_bytes",
    "out_of_order": "the sequence number is not the next one of this turn",
    "repeated": "this sequence number was already accepted",
    "turn_too_long": "the turn is longer than limits.max_turn_ms",
    "turn_closed": "the turn was ended, interrupted or finished; late audio is not played",
    "unknown_turn": "no such turn exists",
    "turn_exists": "this turn's name was used before",
    "too_many_turns": "too many turns wait to be played",
    "buffer_full": "the turn's buffer is full; send again when credit_ms allows",
    "floor_taken": "another client is speaking, or an agent holds the floor",
    "floor_not_held": "only the agent that holds the floor can release it",
    "not_allowed": "this role, or this client's key, does not permit it",
    "rate_limited": "more messages or bytes a second than limits allow; nothing was accepted",
    "bad_packet": "the payload is not one whole Opus packet",
    "caption_too_long": "the turn's caption has more words than a caption may have",
    "no_call": "nobody is calling",
    "no_speaker": "no speaker takes relayed texts: its hello must list the capability relay",
    "phones_too_long": "the turn has more words in phones than a turn may have",
    "no_thumbnail": "the face sent no thumbnail: it is not running, or draws nothing",
    "too_many_clients": "too many clients are connected",
    "header_too_large": "the header is larger than limits.max_header_bytes",
    "replaced": "another connection of this client has taken this session's place",
    "gave_way": "every place was taken, and this session had been idle for longest",
    "too_slow": "this client does not read its messages",
    "access_revoked": "the key of this connection was removed",
}


class Message(Struct, frozen=True, kw_only=True, tag_field="type"):
    """The base of all messages: a map whose key "type" names the message."""


class Hello(Message, tag="hello", frozen=True):
    """client -> voice, first. protocol: the major version. rate_hz, encoding: of all audio to come.

    encoding: s16le, or opus (one packet a message, rate_hz one of OPUS_RATES_HZ). role: a speaker is the voice stack,
    an agent may take the floor from it, an observer only watches. capabilities: what the client can do, of which the
    voice knows "relay" (see `relayed`). replaces: `welcome.session` of an earlier session of
    this client, which this hello ends even if the voice has not noticed that its connection is gone.
    """

    protocol: int
    client: Name = "client"
    role: Role = "speaker"
    rate_hz: int = 16000
    encoding: str = "s16le"
    capabilities: Annotated[tuple[str, ...], Meta(max_length=32)] = ()
    replaces: Annotated[str, Meta(max_length=64, pattern=NAME_PATTERN)] = ""


class Audio(Message, tag="audio", frozen=True):
    """client -> voice, with one payload frame. The first chunk of a new turn (seq 0) begins it."""

    turn: TurnId
    seq: Annotated[int, Meta(ge=0)]


class End(Message, tag="end", frozen=True):
    """client -> voice: no more audio will come for this turn. A turn may be ended without any audio."""

    turn: TurnId


class Interrupt(Message, tag="interrupt", frozen=True):
    """client -> voice: stop this turn, or with no turn all turns of this client, and drop what is queued after it."""

    turn: TurnId | None = None


class Pause(Message, tag="pause", frozen=True):
    """client -> voice: hold the playhead, for at most limits.max_pause_ms. No sample is lost."""


class Resume(Message, tag="resume", frozen=True):
    """client -> voice: end every pause."""


class Volume(Message, tag="volume", frozen=True):
    """client -> voice: gain 0..1, reached over fade_ms."""

    gain: Unit
    fade_ms: Annotated[int, Meta(ge=0, le=10_000)] = 20


class State(Message, tag="state", frozen=True):
    """client -> voice: what the agent is doing while it does not speak."""

    state: AgentState


class Emotion(Message, tag="emotion", frozen=True):
    """client -> voice: the face's emotion until the next one."""

    name: EmotionName
    intensity: Unit = 1.0


class Gesture(Message, tag="gesture", frozen=True):
    """client -> voice: one movement, now."""

    name: GestureName


class LookAt(Message, tag="look_at", frozen=True):
    """client -> voice: where to look, -1..1 from left to right and from bottom to top; null releases the gaze."""

    x: Signed | None = None
    y: Signed | None = None


class Word(Struct, frozen=True, array_like=True):
    """One word of a caption and when it starts and ends on the turn's own clock, in ms."""

    text: Annotated[str, Meta(max_length=100)]
    start_ms: Annotated[int, Meta(ge=0)]
    end_ms: Annotated[int, Meta(ge=0)]


class Caption(Message, tag="caption", frozen=True):
    """client -> voice: what a turn says, with word times if known. May come before the turn's audio.

    append: text and words are added to those of earlier captions; otherwise they replace them.
    """

    turn: TurnId
    text: Annotated[str, Meta(max_length=4000)] = ""
    words: Annotated[tuple[Word, ...], Meta(max_length=2000)] = ()
    append: bool = False


class PhoneWord(Struct, frozen=True, array_like=True):
    """A word or a single phone of a turn: IPA phones separated by spaces, and its start and end on the turn's own
    clock in ms, None where unknown."""

    phones: Annotated[str, Meta(max_length=200)]
    start_ms: Annotated[int, Meta(ge=0)] | None = None
    end_ms: Annotated[int, Meta(ge=0)] | None = None


class Phones(Message, tag="phones", frozen=True):
    """client -> voice: how a turn's text sounds, which guides the lips. It follows what was sent before for this turn.

    May come before, with or after the turn's audio; without it, or where it does not fit, the sound alone decides.
    """

    turn: TurnId
    words: Annotated[tuple[PhoneWord, ...], Meta(max_length=1000)] = ()


class TakeFloor(Message, tag="take_floor", frozen=True):
    """agent -> voice: speak instead of the speaker. The turn that is heard finishes as taken_over.

    queue: whether the turns after it are held until the floor is released, or dropped.
    """

    queue: Literal["hold", "drop"] = "hold"


class ReleaseFloor(Message, tag="release_floor", frozen=True):
    """agent -> voice: release the floor once the agent's turns have been heard. note: for the speakers, in `floor`."""

    note: Annotated[str, Meta(max_length=2000)] = ""


class Subscribe(Message, tag="subscribe", frozen=True):
    """agent or observer -> voice: which topics of the conversation to receive from now on; () for none.

    encoding: one of ENCODINGS, of the sound in `heard`.
    """

    topics: Annotated[tuple[Topic, ...], Meta(max_length=8)] = ("state", "captions", "levels", "health")
    encoding: str = "s16le"


class GetThumbnail(Message, tag="get_thumbnail", frozen=True):
    """agent or observer -> voice: one thumbnail of the face, answered with `thumbnail`. width: pixels."""

    width: Annotated[int, Meta(ge=32, le=320)] = 96


class Ping(Message, tag="ping", frozen=True):
    """client -> voice: answered with pong."""

    nonce: int = 0


class Listen(Message, tag="listen", frozen=True):
    """client -> voice: receive the customer's cleaned speech from now on, answered with `ear`.

    mode: only utterances, each with the pre-roll before it; all sound; or nothing more. encoding: one of ENCODINGS.
    """

    mode: ListenMode = "speech"
    encoding: str = "s16le"


class Mute(Message, tag="mute", frozen=True):
    """client -> voice, answered with `ear`: nothing leaves the ear until every client that muted unmutes or leaves."""


class Unmute(Message, tag="unmute", frozen=True):
    """client -> voice, answered with `ear`: withdraw this client's mute."""


class Choice(Struct, frozen=True, array_like=True):
    """One button. id: returned in `chosen`. text: shown on it, plain, without line breaks."""

    id: Name
    text: Annotated[str, Meta(min_length=1, max_length=120, pattern=NAME_PATTERN)]


class Choices(Message, tag="choices", frozen=True):
    """client -> voice, answered with `offered`: buttons for the customer, in place of this client's earlier ones.

    items: none takes the buttons away. again: whether the customer may choose more than once. qr: a text, as a rule a
    URL, shown beside the buttons as a QR code; empty: none.
    """

    items: Annotated[tuple[Choice, ...], Meta(max_length=MAX_CHOICES)] = ()
    again: bool = False
    qr: Annotated[str, Meta(max_length=MAX_QR_CHARACTERS, pattern=NAME_PATTERN)] = ""


class Presence(Message, tag="presence", frozen=True):
    """client -> voice: a sensor sees somebody, or nobody. voice -> clients: so; or the customer touched the kiosk.

    source: of the news, such as pir, door, camera; "touch" comes from the face.
    """

    present: bool = True
    source: Name = "sensor"


class Spoken(Struct, frozen=True, array_like=True):
    """One side's words in a conversation. who: the customer or the kiosk."""

    who: Literal["customer", "kiosk"]
    text: Annotated[str, Meta(max_length=500)]


class Call(Message, tag="call", frozen=True):
    """client -> voice: the customer would like to talk to a person; or no longer. voice -> agents, subscribers: so.

    question: what the customer asked last. language: as "en". conversation: the newest words of both, as heard. client,
    waited_ms: filled in by the voice: who calls, and for how long.
    """

    open: bool = True
    question: Annotated[str, Meta(max_length=500)] = ""
    language: Annotated[str, Meta(max_length=16)] = ""
    conversation: Annotated[tuple[Spoken, ...], Meta(max_length=24)] = ()
    client: Annotated[str, Meta(max_length=64)] = ""
    waited_ms: Annotated[float, Meta(ge=0)] = 0.0


class AnswerCall(Message, tag="answer_call", frozen=True):
    """agent -> voice: whether somebody comes, in_s from now; 0: not known. To speak through the face: take_floor."""

    coming: bool
    in_s: Annotated[int, Meta(ge=0, le=3_600)] = 0


class Relay(Message, tag="relay", frozen=True):
    """agent -> voice: a text for the voice stack, answered with `relay_taken`, later as a rule with `relay_done`.

    kind: to be said aloud with the stack's own voice; to be known to it alone; or to be kept as a floor's note is.
    id: returned in both answers, never used before by this client.
    """

    kind: RelayKind
    text: Annotated[str, Meta(min_length=1, max_length=MAX_RELAY_CHARACTERS)]
    id: Name


class RelayDone(Message, tag="relay_done", frozen=True):
    """speaker -> voice -> the agent that relayed: what became of it.

    outcome: heard to its end; said in part; known from now on; or of no use here, for the reason why.
    """

    id: Name
    outcome: RelayOutcome
    why: Annotated[str, Meta(max_length=200, pattern=NAME_PATTERN)] = ""


class Visit(Message, tag="visit", frozen=True):
    """speaker -> voice -> subscribers of visits: where a visit stands. Nothing of what was said but `questions`.

    phase: over: it has ended, for the reason `reason`. visit: a random id, empty while nobody is there. duration_s to
    questions: with over, None unknown. answered, unanswered: of the turns. questions: those without an answer, masked,
    only where the visitor and the configuration allow it. client: filled in by the voice.
    """

    phase: VisitPhase
    visit: Annotated[str, Meta(max_length=64, pattern=NAME_PATTERN)] = ""
    language: Annotated[str, Meta(max_length=16)] = ""
    reason: VisitReason = ""
    duration_s: Annotated[float, Meta(ge=0)] | None = None
    turns: Annotated[int, Meta(ge=0)] | None = None
    answered: Annotated[int, Meta(ge=0)] | None = None
    unanswered: Annotated[int, Meta(ge=0)] | None = None
    handed_over: bool | None = None
    satisfaction: Unit | None = None
    questions: Annotated[tuple[Annotated[str, Meta(max_length=200)], ...], Meta(max_length=MAX_VISIT_QUESTIONS)] = ()
    client: Annotated[str, Meta(max_length=64)] = ""


class Screen(Message, tag="screen", frozen=True):
    """agent -> voice: the screen's power and brightness, until the next; `health` tells what came of it.

    power: as configured; never dim or dark; or dark whatever happens. brightness: a factor, None unchanged.
    """

    power: ScreenPower = "auto"
    brightness: Annotated[float, Meta(ge=0.05, le=1.0)] | None = None


class Attend(Message, tag="attend", frozen=True):
    """agent or observer -> voice: a person elsewhere listens or speaks through this face, which shows it.

    name: shown to the customer; empty: "A colleague".
    """

    listening: bool = False
    speaking: bool = False
    name: Annotated[str, Meta(max_length=64, pattern=NAME_PATTERN)] = ""


class Drain(Message, tag="drain", frozen=True):
    """agent -> voice: take no new visitors, or take them again, until the next. The speaker gets `draining`."""

    on: bool


class Bye(Message, tag="bye", frozen=True):
    """client -> voice, last: the session is over; what was sent is still played. voice -> client: the answer."""


class NearEnd(Message, tag="near_end", frozen=True):
    """voice -> client that listens, with one payload frame: 20 ms of the customer's cleaned speech, mono at 16 kHz.

    The payload is mono s16le or one Opus packet, as `listen` named it.

    seq: counts blocks of captured sound; a jump means that sound was not sent, or was lost. at_ns: when its first frame
    reached the microphone, on CLOCK_MONOTONIC. speech: inside an utterance or its pre-roll. dropped: blocks that this
    client has lost because it did not read them, since it began to listen.
    """

    seq: int
    at_ns: int
    speech: bool
    dropped: int = 0


class UserStarted(Message, tag="user_started", frozen=True):
    """voice -> clients that listen: the customer began to speak. at_ns: of the sound itself, on CLOCK_MONOTONIC."""

    utterance: int
    at_ns: int
    confidence: float


class UserStopped(Message, tag="user_stopped", frozen=True):
    """voice -> clients that listen: the customer stopped. at_ns: of the last sound; started_at_ns: of the first."""

    utterance: int
    at_ns: int
    started_at_ns: int
    confidence: float


class Ear(Message, tag="ear", frozen=True):
    """voice -> client: the answer to `listen`, `mute` and `unmute`, and to clients that listen every change of state.

    state: ok, muted, no_card, no_echo_reference, silent, clipping, loopback, or absent while no ear runs. why: the
    remedy. mode: how this client listens. listeners: how many clients listen. counters: gaps and losses since the ear
    started. dropped: blocks that this client has lost because it did not read them, since it began to listen.
    """

    state: str
    why: str = ""
    mode: ListenMode = "off"
    listeners: int = 0
    counters: dict[str, int] = {}
    dropped: int = 0


class BargeIn(Message, tag="barge_in", frozen=True):
    """voice -> the turn's client and clients that listen: what the voice did because the customer spoke over a turn.

    heard_ms: how much of the turn was heard up to the customer's first sound. window_ms: after paused, how long the
    voice waits for `interrupt` or `resume` before it does `default` by itself; 0 otherwise.
    """

    turn: TurnId
    action: BargeInAction
    utterance: int
    heard_ms: float
    window_ms: int = 0
    default: str = ""


class Offered(Message, tag="offered", frozen=True):
    """voice -> client that sent `choices`: what has become of them.

    state: the customer sees them; another client's have replaced them, for good; or no face shows them now.
    shortened: ids of those whose text did not fit and ends with an ellipsis. qr: whether their QR code can be seen.
    """

    state: ChoicesState
    shortened: tuple[str, ...] = ()
    qr: bool = False


class Chosen(Message, tag="chosen", frozen=True):
    """voice -> client that sent `choices`: the customer chose. at_ns: when, on CLOCK_MONOTONIC."""

    id: str
    by: ChosenBy
    at_ns: int


class CallAnswered(Message, tag="call_answered", frozen=True):
    """voice -> client that sent `call`: an agent says whether somebody comes, in_s from now; 0: not known."""

    agent: str
    coming: bool
    in_s: int = 0
    waited_ms: float = 0.0


class Poses(Message, tag="poses", frozen=True):
    """voice -> subscribers of poses, with one payload frame: up to three frames as the face showed them, 30 a second.

    The payload is as in mien.core.pose_frames. seq: the number of the batch; a jump means that some were lost. at_ns:
    when the first frame was visible, on CLOCK_MONOTONIC. key: the first frame has every channel. dropped: messages that
    this client has lost because it did not read them, since it subscribed.
    """

    seq: int
    at_ns: int
    key: bool
    dropped: int = 0


class Heard(Message, tag="heard", frozen=True):
    """voice -> subscribers of heard, with one payload frame: 20 ms of speech as it is heard at the speaker.

    The payload is mono s16le at 16 kHz or one Opus packet, as `subscribe` named it. seq: counts these blocks; a jump
    means that some were lost. at_ns: when its first sample is heard, which may lie ahead, on CLOCK_MONOTONIC. first:
    a stretch of speech begins, with a new encoder. last: the stretch ends; nothing is sent until the next. dropped: as
    in `poses`.
    """

    seq: int
    at_ns: int
    first: bool = False
    last: bool = False
    dropped: int = 0


class RelayTaken(Message, tag="relay_taken", frozen=True):
    """voice -> agent that sent `relay`: a speaker has it. speaker: its name."""

    id: str
    speaker: str


class Relayed(Message, tag="relayed", frozen=True):
    """voice -> speaker with the capability relay: what an agent relays. sender: its name; in the header: "from"."""

    kind: RelayKind
    text: str
    sender: str = msgspec.field(name="from")
    id: str


class Draining(Message, tag="draining", frozen=True):
    """voice -> speakers with the capability drain, after welcome and on each change: whether to take new visitors."""

    on: bool


class Limits(Struct, frozen=True, kw_only=True):
    """The limits that a client must respect, sent in welcome."""

    max_chunk_bytes: int
    max_header_bytes: int
    max_buffer_ms: int
    max_turn_ms: int
    max_turns: int
    turn_idle_timeout_ms: int
    max_messages_per_s: int = 0
    max_kb_per_s: int = 0
    max_pause_ms: int = 0


class ReplacedTurn(Struct, frozen=True, kw_only=True):
    """The outcome of a turn of an earlier session of this client. played_ms, words_heard: up to now."""

    turn: str
    played_ms: float
    interrupted: bool
    reason: FinishReason
    words_heard: int = 0
    last_word: str = ""
    barge_in_ms: float | None = None


class Welcome(Message, tag="welcome", frozen=True):
    """voice -> client: the session is open. rates_hz, encodings: what hello may name. floor: the holder's name.

    replaced: turns of the sessions that this one replaces, whose outcome their client was not told.
    """

    session: str
    protocol: int
    version: str
    capabilities: tuple[str, ...]
    rates_hz: tuple[int, ...]
    limits: Limits
    encodings: tuple[str, ...] = ("s16le",)
    floor: str = ""
    replaced: tuple[ReplacedTurn, ...] = ()


class Started(Message, tag="started", frozen=True):
    """voice -> client, once a turn: its first sample was heard latency_ms after its first chunk was received."""

    turn: TurnId
    latency_ms: float


class Progress(Message, tag="progress", frozen=True):
    """voice -> client, several times a second: ms heard, ms queued, and how many ms more would be accepted now."""

    turn: TurnId
    played_ms: float
    buffered_ms: float
    credit_ms: float


class Stalled(Message, tag="stalled", frozen=True):
    """voice -> client: everything that was sent has been heard and the turn has not ended. The face freezes."""

    turn: TurnId
    played_ms: float


class Rebuffered(Message, tag="rebuffered", frozen=True):
    """voice -> client, after a stall: the turn is heard again. stood_ms: how long it was silent.

    cushion_ms: how much speech was buffered when it continued.
    """

    turn: TurnId
    played_ms: float
    stood_ms: float
    cushion_ms: float


class Finished(Message, tag="finished", frozen=True):
    """voice -> client, exactly once for every turn that began. played_ms: heard at the speaker.

    words_heard: how many words of the caption were heard, at least half of each. last_word: the last of them.
    barge_in_ms: how much was heard up to the customer's first sound, where a barge-in ended the turn. latency_ms: as in
    started, None if nothing was heard. stalls: how often speech ran out before its end.
    """

    turn: TurnId
    played_ms: float
    interrupted: bool
    reason: FinishReason
    words_heard: int = 0
    last_word: str = ""
    barge_in_ms: float | None = None
    latency_ms: float | None = None
    stalls: int = 0


class Interrupted(Message, tag="interrupted", frozen=True):
    """voice -> client: an interrupt was accepted; these turns will finish as interrupted."""

    turns: tuple[str, ...]


class Resumed(Message, tag="resumed", frozen=True):
    """voice -> client: its pause was ended, and not by itself."""

    why: ResumeReason


class Floor(Message, tag="floor", frozen=True):
    """voice -> everyone: an agent has taken the floor, or it was released to the speakers (holder is empty).

    yours: the receiver holds it. held: the receiver's turns that wait for the release. note: what the agent left for
    the speakers as it released the floor; observers do not get it.
    """

    holder: str
    why: FloorChange
    yours: bool = False
    held: tuple[str, ...] = ()
    note: str = ""


class Status(Message, tag="status", frozen=True):
    """voice -> subscribers of state: on every change, and with each progress while speech is heard."""

    phase: str
    client: str
    turn: str
    played_ms: float
    state: str
    emotion: str
    floor: str


class Outcome(Message, tag="outcome", frozen=True):
    """voice -> subscribers of state: how a turn ended, as its client was told in finished."""

    client: str
    turn: str
    played_ms: float
    interrupted: bool
    reason: FinishReason
    words_heard: int
    last_word: str
    barge_in_ms: float | None = None
    latency_ms: float | None = None
    stalls: int = 0


class Said(Message, tag="said", frozen=True):
    """voice -> subscribers of captions: a client's caption, as it was sent."""

    client: str
    turn: str
    text: str
    words: tuple[Word, ...] = ()
    append: bool = False


class Levels(Message, tag="levels", frozen=True):
    """voice -> subscribers of levels, ten times a second: the level of the speech written since the last one, in
    dBFS (-100 for silence)."""

    rms_dbfs: float
    peak_dbfs: float


class HealthReport(Message, tag="health", frozen=True):
    """voice -> subscribers of health, once a second. What begins with face_: None while no face reports.

    device: the sound card: open, released (closed during a long silence) or lost. queued_turns, queued_ms: what waits
    to be heard. first_sound_ms: of the newest turn that waited behind no other, as in its `started`; with the median
    and the 95th percentile of the newest 256. face_screen: on, dim, blank (black) or off, face_brightness: 0..1, both
    as observed. ear_state: as in `ear`. ear_echo_db: how much of the echo is removed. headphones: whether they have
    the sound, in place of the loudspeaker.
    """

    level: str
    clients: int
    voice_pss_mb: float
    counters: dict[str, int]
    face_fps: float | None = None
    face_missed: int | None = None
    face_offset_median_ms: float | None = None
    face_offset_p95_ms: float | None = None
    device: str = "open"
    queued_turns: int = 0
    queued_ms: float = 0.0
    first_sound_ms: float | None = None
    first_sound_median_ms: float | None = None
    first_sound_p95_ms: float | None = None
    face_screen: str | None = None
    face_brightness: float | None = None
    face_renderer: str | None = None
    face_quality: str | None = None
    face_pss_mb: float | None = None
    ear_state: str = "absent"
    ear_pss_mb: float | None = None
    ear_echo_db: float | None = None
    headphones: bool = False


class Thumbnail(Message, tag="thumbnail", frozen=True):
    """voice -> client that asked: a thumbnail of the face. encoding: of data, such as jpeg."""

    width: int
    height: int
    encoding: str
    data: bytes


class LevelChanged(Message, tag="level", frozen=True):
    """voice -> client: the service degraded or recovered."""

    old: str
    new: str
    why: str


class Error(Message, tag="error", frozen=True):
    """voice -> client: a message was refused. turn, seq: of the refused message, if it had them."""

    code: str
    message: str
    retryable: bool = False
    turn: str = ""
    seq: int = -1
    protocols: tuple[int, ...] = ()


class Pong(Message, tag="pong", frozen=True):
    """voice -> client: the answer to ping. now_ns: the voice's CLOCK_MONOTONIC."""

    nonce: int
    now_ns: int


ClientMessage: TypeAlias = (
    Hello
    | Audio
    | End
    | Interrupt
    | Pause
    | Resume
    | Volume
    | State
    | Emotion
    | Gesture
    | LookAt
    | Caption
    | Phones
    | Ping
    | TakeFloor
    | ReleaseFloor
    | Subscribe
    | GetThumbnail
    | Listen
    | Mute
    | Unmute
    | Choices
    | Presence
    | Call
    | AnswerCall
    | Relay
    | RelayDone
    | Visit
    | Screen
    | Attend
    | Drain
    | Bye
)
VoiceMessage: TypeAlias = (
    Welcome
    | Started
    | Progress
    | Stalled
    | Rebuffered
    | Finished
    | Interrupted
    | LevelChanged
    | Error
    | Pong
    | Floor
    | Status
    | Outcome
    | Said
    | Levels
    | HealthReport
    | Thumbnail
    | Resumed
    | NearEnd
    | UserStarted
    | UserStopped
    | Ear
    | BargeIn
    | Offered
    | Chosen
    | Presence
    | Call
    | CallAnswered
    | RelayTaken
    | Relayed
    | RelayDone
    | Visit
    | Poses
    | Heard
    | Draining
    | Bye
)

_ENCODER = msgspec.msgpack.Encoder()
_CLIENT_DECODER: msgspec.msgpack.Decoder[ClientMessage] = msgspec.msgpack.Decoder(ClientMessage)
_VOICE_DECODER: msgspec.msgpack.Decoder[VoiceMessage] = msgspec.msgpack.Decoder(VoiceMessage)
_CLIENT_TYPES: Final = {str(t.__struct_config__.tag): t for t in ClientMessage.__args__}
_VOICE_TYPES: Final = {str(t.__struct_config__.tag): t for t in VoiceMessage.__args__}
# What msgspec raises for malformed bytes: invalid UTF-8 and deep nesting raise errors of their own.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def encode(message: Message) -> bytes:
    """Encode a header frame."""
    return _ENCODER.encode(message)


def decode_client(header: bytes) -> ClientMessage:
    """Decode a client's header. Raises ProtocolError: malformed, unknown_message or header_too_large."""
    if len(header) > MAX_HEADER_BYTES:
        raise ProtocolError("header_too_large", f"the header has {len(header)} bytes; at most {MAX_HEADER_BYTES}")
    try:
        return _CLIENT_DECODER.decode(header)
    except _UNREADABLE as error:
        raise _explain(header, error, _CLIENT_TYPES) from None


def decode_voice(header: bytes) -> VoiceMessage:
    """Decode a header of the voice. Raises ProtocolError: malformed, or unknown_message from a newer voice."""
    try:
        return _VOICE_DECODER.decode(header)
    except _UNREADABLE as error:
        raise _explain(header, error, _VOICE_TYPES) from None


def _explain(header: bytes, error: Exception, types: dict[str, type[Message]]) -> ProtocolError:
    """The error for an unknown or malformed message, with the turn if the header has one."""
    try:
        raw = msgspec.msgpack.decode(header)
    except _UNREADABLE:
        return ProtocolError("malformed", f"the header is not a msgpack map: {error}")
    if not isinstance(raw, dict):
        return ProtocolError("malformed", "the header is not a msgpack map with the key 'type'")
    kind, turn, seq = raw.get("type"), raw.get("turn"), raw.get("seq")
    name = turn if isinstance(turn, str) else ""
    number = seq if type(seq) is int else -1  # a bool is an int to isinstance
    if isinstance(kind, str) and kind not in types:
        known = ", ".join(sorted(types))
        text = f"there is no message {kind[:40]!r}; known are {known}"
        return ProtocolError("unknown_message", text, turn=name[:64])
    return ProtocolError(
        "malformed", f"in {str(kind)[:40]!r}: {_readable(error, types.get(str(kind)))}", turn=name[:64], seq=number
    )


def _readable(error: Exception, message: type[Message] | None) -> str:
    """msgspec's text, except for names and enumerations, whose errors say what is allowed."""
    what, _, where = str(error).partition(" - at `$.")
    field = where.rstrip("`")
    if "matching regex" in what:
        return (
            f"{field}: a name is plain text, without control characters (such as NUL or a line feed) or "
            "the line separators U+2028 and U+2029"
        )
    if what.startswith("Invalid enum value") and message is not None:
        allowed = _literals(get_type_hints(message).get(field.partition("[")[0]))
        return f"{field}: {what.removeprefix('Invalid enum value ')} is not one of {', '.join(allowed)}"
    return str(error)


def _literals(hint: object) -> list[str]:
    """The values of the Literal inside a type."""
    if get_origin(hint) is Literal:
        return [str(value) for value in get_args(hint)]
    return [value for inner in get_args(hint) for value in _literals(inner)]
