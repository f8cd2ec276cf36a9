"""The director: seeds are reproducible, lids close, speech keeps its lips, states look different."""

import itertools

import numpy as np
import pytest

from mien.core.pose import ARKIT_SHAPES, CHANNEL_COUNT, CHANNEL_INDEX, SHAPE_COUNT, Pose, new_pose
from mien.face.behaviour.expressions import EMOTIONS, OPENING_INDICES, STATES
from mien.face.behaviour.gestures import GESTURES
from mien.face.director import Director
from mien.units import NS_PER_S

START_NS = 5_000 * NS_PER_S
LIVELY = np.ones(5, dtype=np.float32)
BLINKS = [CHANNEL_INDEX["eyeBlinkLeft"], CHANNEL_INDEX["eyeBlinkRight"]]
HEAD = [CHANNEL_INDEX[name] for name in ("headPitch", "headYaw", "headRoll")]


def pose_of(**channels: float) -> Pose:
    pose = new_pose()
    for name, value in channels.items():
        pose[CHANNEL_INDEX[name]] = value
    return pose


def talk(time_s: float) -> Pose:
    """Synthetic speech: syllables at 4 Hz in phrases of 2 s with pauses of 0.5 s."""
    voiced = time_s % 2.5 < 2.0
    open_ = 0.35 * max(0.0, np.sin(2 * np.pi * 4 * time_s)) * (1 + 0.6 * np.sin(2 * np.pi * 0.9 * time_s))
    return pose_of(jawOpen=float(open_), mouthFunnel=float(open_) / 3) if voiced else new_pose()


def said(time_s: float) -> np.ndarray:
    """The prosody of talk(): stress in the first half of each second, pitch falling through the phrase."""
    into_s = time_s % 2.5
    voice = float(into_s < 2.24)
    stress = 0.8 * float(into_s % 1.0 < 0.14 and into_s < 2.0)
    return np.array([stress, voice * (0.5 - into_s / 2.2), voice * 0.5, voice, 0.0], dtype=np.float32)


def perform(
    director: Director,
    *,
    seconds: float,
    state: str = "idle",
    speech: Pose | None = None,
    rate_hz: float = 60,
    start_s: float = 0.0,
    prosody: np.ndarray | None = None,
) -> np.ndarray:
    """The poses of a performance, (frames, CHANNEL_COUNT)."""
    poses = np.zeros((round(seconds * rate_hz), CHANNEL_COUNT), dtype=np.float32)
    for number, out in enumerate(poses):
        time_s = start_s + number / rate_hz
        words = talk(time_s) if state == "speaking" and speech is None else speech
        heard = said(time_s) if state == "speaking" and speech is None else prosody
        director.compose(START_NS + round(time_s * NS_PER_S), state, new_pose() if words is None else words, out, heard)
    return poses


@pytest.mark.parametrize("state", STATES)
def test_every_pose_is_finite_and_in_range(state: str) -> None:
    director = Director(seed=3)
    for emotion in EMOTIONS:
        director.set_emotion(emotion, 1.0, START_NS)
        poses = perform(director, seconds=3, state=state)
        assert np.isfinite(poses).all()
        assert poses[:, :SHAPE_COUNT].min() >= 0
        assert poses[:, :SHAPE_COUNT].max() <= 1
        assert np.abs(poses[:, HEAD]).max() <= 0.5
        assert 0 <= poses[:, CHANNEL_INDEX["breath"]].min() <= poses[:, CHANNEL_INDEX["breath"]].max() <= 1


def test_the_same_seed_and_calls_give_the_same_performance_and_another_seed_another() -> None:
    def play(seed: int) -> np.ndarray:
        director = Director(seed=seed)
        acts = []
        for number, state in enumerate(STATES):
            now_ns = START_NS + 4 * number * NS_PER_S
            director.set_emotion(EMOTIONS[number], 0.8, now_ns)
            director.play_gesture(GESTURES[number % len(GESTURES)], now_ns)
            director.look_at(0.5, -0.2, now_ns) if number % 2 else director.look_at(None, None, now_ns)
            acts.append(perform(director, seconds=4, state=state, start_s=4.0 * number))
        return np.concatenate(acts)

    first = play(11)
    np.testing.assert_array_equal(play(11), first)
    assert np.abs(play(12) - first).max() > 0.1


def test_the_clock_may_stand_anywhere_when_it_begins() -> None:
    early, late = Director(seed=1), Director(seed=1)
    one, other = new_pose(), new_pose()
    for step in range(0, 8 * NS_PER_S, NS_PER_S // 50):
        early.compose(step, "idle", new_pose(), one)
        late.compose(77 * NS_PER_S + step, "idle", new_pose(), other)
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("state", ["idle", "listening", "thinking", "paused", "disconnected"])
def test_the_frame_rate_changes_nothing(state: str) -> None:
    slow = perform(Director(seed=9), seconds=40, state=state, rate_hz=30)
    fast = perform(Director(seed=9), seconds=40, state=state, rate_hz=120)[::4]
    np.testing.assert_allclose(slow, fast, atol=0.02)


def test_speech_is_played_alike_at_any_frame_rate() -> None:
    slow = perform(Director(seed=9), seconds=20, state="speaking", rate_hz=30)
    fast = perform(Director(seed=9), seconds=20, state="speaking", rate_hz=60)[::2]
    mouth = [CHANNEL_INDEX[name] for name in ARKIT_SHAPES if name.startswith(("mouth", "jaw"))]
    assert np.abs(slow - fast)[:, mouth].max() < 0.06


@pytest.mark.parametrize(("state", "fewest", "most"), [("idle", 10, 26), ("listening", 8, 24), ("thinking", 12, 32)])
def test_blinks_close_both_lids_at_a_natural_rate(state: str, fewest: int, most: int) -> None:
    minutes = 4
    lids = perform(Director(seed=2), seconds=60 * minutes, state=state, rate_hz=30)[:, BLINKS]
    shut = lids.min(axis=1) > 0.97
    blinks = int((np.diff(shut.astype(int)) == 1).sum())
    assert fewest * minutes <= blinks <= most * minutes
    assert shut.mean() < 0.1


def test_a_blink_is_seen_shut_even_at_24_frames_a_second() -> None:
    lids = perform(Director(seed=5), seconds=120, rate_hz=24)[:, BLINKS[0]]
    peaks = [
        lid
        for before, lid, after in zip(lids, lids[1:], lids[2:], strict=False)
        if lid > 0.5 and lid >= before and lid > after
    ]
    assert len(peaks) > 15
    assert min(peaks) > 0.97


def test_blinks_come_at_phrase_ends() -> None:
    """Speech pauses at the same point of every 2.5 s: blinks cluster just after the pause begins."""
    lids = perform(Director(seed=8), seconds=200, state="speaking", rate_hz=30)[:, BLINKS[0]]
    begun_s = np.flatnonzero(np.diff((lids > 0.5).astype(int)) == 1) / 30
    in_pauses = ((begun_s % 2.5 > 2.2) & (begun_s % 2.5 < 2.5)).sum()
    in_mid_phrase = ((begun_s % 2.5 > 1.1) & (begun_s % 2.5 < 1.4)).sum()
    assert in_pauses > 15
    assert in_pauses > 1.5 * in_mid_phrase


@pytest.mark.parametrize("emotion", EMOTIONS)
@pytest.mark.parametrize("gesture", [None, *GESTURES])
def test_no_emotion_opens_lips_that_speech_closes(emotion: str, gesture: str | None) -> None:
    director = Director(seed=4)
    director.set_emotion(emotion, 1.0, START_NS)
    perform(director, seconds=3, state="speaking")
    closed = pose_of(jawOpen=0.15, mouthClose=0.15, mouthPressLeft=0.3, mouthPressRight=0.3)
    if gesture:
        director.play_gesture(gesture, START_NS + 3 * NS_PER_S)
    poses = perform(director, seconds=1, state="speaking", speech=closed, start_s=3.0, prosody=LIVELY)
    added = poses[:, OPENING_INDICES] - closed[OPENING_INDICES]
    assert added.max() <= 1e-6
    assert poses[:, CHANNEL_INDEX["mouthClose"]].min() >= closed[CHANNEL_INDEX["mouthClose"]] - 1e-6


def test_a_closure_between_vowels_is_closed_at_once_under_surprise() -> None:
    director = Director(seed=4)
    director.set_emotion("surprised", 1.0, START_NS)
    perform(director, seconds=2, state="speaking", speech=pose_of(jawOpen=0.5))
    [pose, *_] = perform(director, seconds=0.1, state="speaking", speech=pose_of(mouthPressLeft=0.4), start_s=2.0)
    assert pose[CHANNEL_INDEX["jawOpen"]] == 0


def test_surprise_opens_the_mouth_of_a_face_that_is_silent() -> None:
    director = Director(seed=4)
    director.set_emotion("surprised", 1.0, START_NS)
    assert perform(director, seconds=2)[-1, CHANNEL_INDEX["jawOpen"]] > 0.1


def test_speech_reaches_the_mouth_unchanged_where_nothing_else_is_said() -> None:
    director, speech = Director(seed=4), pose_of(jawOpen=0.42, mouthFunnel=0.3, tongueOut=0.1)
    pose = perform(director, seconds=1, state="speaking", speech=speech)[-1]
    for name in ("jawOpen", "mouthFunnel", "tongueOut"):
        assert pose[CHANNEL_INDEX[name]] == pytest.approx(speech[CHANNEL_INDEX[name]], abs=1e-6)


def test_speech_moves_the_mouth_in_any_state() -> None:
    speech = pose_of(jawOpen=0.5)
    for state in STATES:
        pose = perform(Director(seed=4), seconds=3, state=state, speech=speech)[-1]
        assert pose[CHANNEL_INDEX["jawOpen"]] >= 0.5


def test_states_are_told_apart() -> None:
    """Over half a minute, any two states differ clearly in the mean or the spread of some visible channel."""
    scale = np.ones(CHANNEL_COUNT)
    scale[HEAD] = 4.0
    signs = {}
    for state in STATES:
        poses = perform(Director(seed=6), seconds=30, state=state, rate_hz=20)[60:] * scale
        signs[state] = np.concatenate((np.median(poses, axis=0), poses.std(axis=0)))
    for one, other in itertools.combinations(STATES, 2):
        assert np.abs(signs[one] - signs[other]).max() > 0.1, f"{one} looks like {other}"


def test_a_disconnected_face_sleeps_and_a_thinking_one_looks_up() -> None:
    asleep = perform(Director(seed=6), seconds=10, state="disconnected")[-60:]
    assert asleep[:, BLINKS].min() > 0.99
    thinking = perform(Director(seed=6), seconds=10, state="thinking")[-240:]
    assert np.median(thinking[:, CHANNEL_INDEX["eyeLookUpLeft"]]) > 0.2


def test_presence_fades_with_the_state_and_comes_back() -> None:
    director, out = Director(seed=6), new_pose()
    course = []
    for number in range(600):
        state = "disconnected" if 100 <= number < 300 else "paused" if number >= 450 else "speaking"
        director.compose(START_NS + number * NS_PER_S // 60, state, new_pose(), out)
        course.append(director.presence)
    assert course[99] == 1.0
    assert course[299] < 0.3
    assert course[449] == 1.0
    assert course[299] < course[-1] < 0.8
    assert np.abs(np.diff(course)).max() < 0.1


def test_movement_is_smooth_through_every_change() -> None:
    """Only the eyes may jump between two frames at 60 Hz. An emotion that comes within 400 ms moves .08 a frame."""
    director = Director(seed=7)
    acts = []
    for number, (state, emotion) in enumerate(zip(STATES * 2, EMOTIONS * 2, strict=False)):
        now_ns = START_NS + 2 * number * NS_PER_S
        director.set_emotion(emotion, 1.0, now_ns)
        acts.append(perform(director, seconds=2, state=state, speech=new_pose(), start_s=2.0 * number))
    steps = np.abs(np.diff(np.concatenate(acts), axis=0))
    quick = [CHANNEL_INDEX[name] for name in ARKIT_SHAPES if name.startswith(("eyeLook", "eyeBlink", "eyeWide"))]
    others = np.setdiff1d(np.arange(CHANNEL_COUNT), quick)
    assert steps[:, others].max() < 0.09
    assert steps[:, HEAD].max() < 0.02
    assert steps[:, BLINKS].max() < 0.4


def test_the_eyes_stay_on_the_viewer_while_the_head_moves() -> None:
    director, out = Director(seed=1), new_pose()
    director.look_at(0.0, 0.0, START_NS)
    worst = 0.0
    for number in range(600):
        director.compose(START_NS + number * NS_PER_S // 60, "speaking", pose_of(headYaw=0.1), out)
        yaw = (out[CHANNEL_INDEX["eyeLookOutLeft"]] - out[CHANNEL_INDEX["eyeLookInLeft"]]) * np.radians(30)
        worst = max(worst, abs(yaw + out[CHANNEL_INDEX["headYaw"]]))
    assert worst < np.radians(1.5)


@pytest.mark.parametrize(
    ("x", "y", "channel"),
    [
        (1.0, 0.0, "eyeLookOutLeft"),
        (-1.0, 0.0, "eyeLookInLeft"),
        (0.0, 1.0, "eyeLookUpLeft"),
        (0.0, -1.0, "eyeLookDownRight"),
    ],
)
def test_look_at_turns_the_eyes_and_lets_them_go(x: float, y: float, channel: str) -> None:
    director = Director(seed=1)
    perform(director, seconds=1, state="listening")
    director.look_at(x, y, START_NS + NS_PER_S)
    held = perform(director, seconds=3, state="listening", start_s=1.0)[-1]
    assert held[CHANNEL_INDEX[channel]] > 0.3
    director.look_at(None, None, START_NS + 4 * NS_PER_S)
    free = perform(director, seconds=3, state="listening", start_s=4.0)[-1]
    assert free[CHANNEL_INDEX[channel]] < 0.25


@pytest.mark.parametrize(("gesture", "channel", "reach"), [
    ("nod", "headPitch", 0.08), ("shake", "headYaw", 0.1), ("wink", "eyeBlinkLeft", 0.95),
    ("smile", "mouthSmileRight", 0.5),
])  # fmt: skip
def test_a_gesture_is_seen_and_ends(gesture: str, channel: str, reach: float) -> None:
    plain = perform(Director(seed=1), seconds=4, state="paused")[:, CHANNEL_INDEX[channel]]
    director = Director(seed=1)
    director.play_gesture(gesture, START_NS)
    played = perform(director, seconds=4, state="paused")[:, CHANNEL_INDEX[channel]]
    assert np.abs(played - plain).max() > reach - 0.4 * (gesture == "wink")
    assert np.abs(played - plain)[-30:].max() < 1e-6


@pytest.mark.parametrize(("state", "channel", "least"), [
    ("idle", "mouthSmileLeft", 0.1), ("listening", "headPitch", 0.025), ("thinking", "mouthLeft", 0.15),
])  # fmt: skip
def test_a_face_that_waits_does_something_now_and_then(state: str, channel: str, least: float) -> None:
    course = perform(Director(seed=3), seconds=90, state=state, rate_hz=30)[60:, CHANNEL_INDEX[channel]]
    rest = np.median(course)
    began = (np.diff((course > rest + least).astype(int)) == 1).sum()
    assert 2 <= began <= 40


def test_a_wink_shuts_one_eye() -> None:
    director = Director(seed=1)
    director.play_gesture("wink", START_NS)
    lids = perform(director, seconds=0.3)[:, BLINKS]
    assert lids[:, 0].max() > 0.97
    assert lids[:, 1].max() < 0.3


def test_emotions_fade_in_scale_with_intensity_and_fade_out() -> None:
    smile = CHANNEL_INDEX["mouthSmileLeft"]

    def smiles(intensity: float) -> np.ndarray:
        director = Director(seed=1)
        director.set_emotion("happy", intensity, START_NS)
        return perform(director, seconds=2)[:, smile]

    rest, half, full = smiles(0.0), smiles(0.5), smiles(1.0)
    assert full[0] == pytest.approx(rest[0])
    assert rest[-1] < half[-1] < full[-1]
    assert half[-1] - rest[-1] == pytest.approx((full[-1] - rest[-1]) / 2, abs=1e-4)
    director = Director(seed=1)
    director.set_emotion("happy", 1.0, START_NS)
    perform(director, seconds=2)
    director.set_emotion("neutral", 1.0, START_NS + 2 * NS_PER_S)
    assert perform(director, seconds=2, start_s=2.0)[-1, smile] == pytest.approx(rest[-1], abs=1e-4)


def test_a_long_sleep_is_not_acted_out_afterwards() -> None:
    director, out = Director(seed=1), new_pose()
    director.compose(START_NS, "idle", new_pose(), out)
    director.compose(START_NS + 40 * 86_400 * NS_PER_S, "idle", new_pose(), out)
    assert np.isfinite(out).all()


def test_compose_leaves_the_speech_as_it_was() -> None:
    speech = talk(0.06)
    before = speech.copy()
    Director(seed=1).compose(START_NS, "speaking", speech, new_pose())
    np.testing.assert_array_equal(speech, before)


def test_what_is_not_known_is_refused_with_what_is() -> None:
    director = Director(seed=1)
    with pytest.raises(ValueError, match="listening"):
        director.compose(START_NS, "asleep", new_pose(), new_pose())
    with pytest.raises(ValueError, match="concerned"):
        director.set_emotion("jealous", 0.5, START_NS)
    with pytest.raises(ValueError, match="intensity"):
        director.set_emotion("happy", 1.5, START_NS)
    with pytest.raises(ValueError, match="shake"):
        director.play_gesture("beat", START_NS)
    with pytest.raises(ValueError, match="look_at"):
        director.look_at(1.5, 0.0, START_NS)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_head_that_is_told_to_turn_too_far_stops_at_half_a_radian_on_either_side(sign: float) -> None:
    director, out = Director(seed=1), new_pose()
    speech = pose_of(**dict.fromkeys(("headPitch", "headYaw", "headRoll"), 2.0 * sign))
    director.compose(START_NS, "idle", speech, out)
    assert out[HEAD] == pytest.approx([0.5 * sign] * 3)
    director.compose(START_NS + NS_PER_S, "idle", pose_of(headYaw=0.3 * sign), out)
    assert 0.1 < abs(out[HEAD[1]]) < 0.5, "what is within is left as it is"


def shown(director: Director, at_s: float, speech: Pose | None = None, prosody: np.ndarray | None = None) -> None:
    state = "idle" if prosody is None else "speaking"
    director.compose(START_NS + round(at_s * NS_PER_S), state, new_pose() if speech is None else speech, new_pose(),
                     prosody)  # fmt: skip


def resting(director: Director) -> float:
    """Run it until nothing is in progress; returns that time."""
    at_s = 0.0
    while at_s < 5.0 or director.busy or director.moves:
        shown(director, at_s)
        at_s += 0.02
    return at_s


def test_what_is_asked_for_makes_it_busy_until_it_is_over() -> None:
    for ask, lasts_s in (
        (lambda one, now: one.play_gesture("nod", now), 1.1),
        (lambda one, now: one.set_emotion("happy", 1.0, now), 0.4),
    ):
        director = Director(seed=1)
        at_s = resting(director)
        ask(director, START_NS + round(at_s * NS_PER_S))
        shown(director, at_s)
        assert director.busy
        shown(director, at_s + lasts_s - 0.03)
        assert director.busy
        shown(director, at_s + lasts_s + 0.03)
        assert not director.busy


def test_speech_makes_it_busy_and_a_change_of_state_does() -> None:
    director = Director(seed=1)
    at_s = resting(director)
    shown(director, at_s, pose_of(jawOpen=0.4))
    assert director.busy
    director = Director(seed=1)
    shown(director, at_s, prosody=LIVELY)
    assert director.busy
    director = Director(seed=1)
    at_s = resting(director)
    director.compose(START_NS + round(at_s * NS_PER_S), "listening", new_pose(), new_pose())
    assert director.busy


def test_every_blink_and_turn_of_the_eyes_was_told_of_beforehand_and_makes_it_move() -> None:
    """Checked every 5 ms: fast lids or eyes are reported as moves, and began when next_move_ns had predicted."""
    director, out, before = Director(seed=3), new_pose(), new_pose()
    eyes = [CHANNEL_INDEX[f"eyeLook{way}Left"] for way in ("In", "Out", "Up", "Down")]
    began = 0
    moved = True
    for step in range(60 * 200):
        now_ns = START_NS + step * 5_000_000
        told_ns = director.next_move_ns
        director.compose(now_ns, "idle", new_pose(), out)
        if step > 400:
            fast = max(np.abs(out[BLINKS] - before[BLINKS]).max(), np.abs(out[eyes] - before[eyes]).max()) > 0.02
            assert director.moves or director.busy or not fast
            if director.moves and not moved:
                began += 1
                assert told_ns <= now_ns
            if not director.moves:
                assert director.next_move_ns > now_ns
        moved = director.moves
        before[:] = out
    assert began > 20
