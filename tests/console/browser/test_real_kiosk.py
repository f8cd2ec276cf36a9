"""A real kiosk, `mien run` with `mien link`, at a real broker with TLS, a fleet's keys and its access list."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from console import stack
from console.person import sign_in
from console.person import until as in_page_until
from console.sound_match import RATE_HZ, Sound, delays_s, read_wav, syllables, write_wav
from fleet_sim.kiosk import Kiosk
from fleet_sim.site import Site
from mien.client import Client, Floor, connect
from mien.enrolment.boards_csv import Wanted
from mien.fleet.topics import Board

from .conftest import CHROMIUM, FLAGS

KIOSK = Board("berlin", "kiosk-1")
AT = "#/kiosk/berlin/kiosk-1"
SENTENCE = "The library opens at nine, on the second floor."
SAID_S = 5.0
SPOKEN_S = 4.0
TRIES = 6
# Notes what the encoder gets, at 16 kHz, and when: what the agent has spoken.
SPOKEN = """
window.spoken = [];
const encode = AudioEncoder.prototype.encode;
AudioEncoder.prototype.encode = function (data) {
    const samples = new Float32Array(data.numberOfFrames), few = [];
    data.copyTo(samples, { planeIndex: 0 });
    for (let at = 0; at < samples.length; at += 3)
        few.push(Math.round(10922 * (samples[at] + samples[at + 1] + samples[at + 2])));
    window.spoken.push([Date.now(), few]);
    return encode.call(this, data);
};
"""
PLAYED = """
window.played = [];
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (...given) {
    const samples = this.buffer.getChannelData(0);
    for (let at = 0; at + 2 < samples.length; at += 3)
        window.played.push(Math.round(10922 * (samples[at] + samples[at + 1] + samples[at + 2])));
    return start.apply(this, given);
};
"""
# Looks at the middle of the lower half of the face, 12 x 12 grey levels, whenever the page has drawn.
MOUTH = """() => {
    window.mouth = [];
    const small = document.createElement("canvas");
    small.width = small.height = 12;
    const context = small.getContext("2d", { willReadFrequently: true });
    const face = document.querySelector("canvas.face");
    const look = () => {
        const { width, height } = face;
        context.drawImage(face, width / 3, height / 2, width / 3, height * 0.3, 0, 0, 12, 12);
        const { data } = context.getImageData(0, 0, 12, 12), grey = [];
        for (let at = 0; at < data.length; at += 4) grey.push((data[at] + data[at + 1] + data[at + 2]) / 3);
        if (grey.some((level) => level > 0)) window.mouth.push(grey);
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


@pytest.fixture(scope="module")
def browser(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = tmp_path_factory.mktemp("agent") / "agent.wav"
    write_wav(path, np.repeat(syllables(20, seed=3), 3), 3 * RATE_HZ)
    # The page's broker has a certificate of the fleet's own authority, which this browser does not know.
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={path}", "--ignore-certificate-errors"]
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield started
    started.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    made.fleet.enrol(Wanted(KIOSK.name, KIOSK.site, captions=True))
    for name, role in (("ana", "operator"), ("ben", "agent"), ("carl", "agent"), ("otto", "observer")):
        made.add_user(name, role)
    made.restart()
    yield made
    made.broker.stop()


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with stack.served_for(f"wss://127.0.0.1:{site.fleet.record.people_port}/mqtt") as address:
        yield address


@pytest.fixture(scope="module")
def kiosk(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kiosk]:
    with Kiosk(site.files(KIOSK), tmp_path_factory.mktemp("kiosk")) as running:
        yield running
        for name in ("run", "link"):
            assert "Traceback" not in running.log(name)


class VoiceStack:
    """The kiosk's own voice stack: a client that speaks, and hears who has the floor.

    It lives in a thread of its own: playwright runs an event loop in the test's.
    """

    def __init__(self, endpoint: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._client: Client = self._do(lambda: connect(endpoint, rate_hz=RATE_HZ, name="stack", timeout_s=20))
        self.holder = ""
        self.notes: list[str] = []

    def has_floor(self) -> bool:
        for event in self._do(lambda: list(iter(lambda: self._client.poll(0), None))):
            if isinstance(event, Floor):
                self.holder = event.holder
                self.notes += [event.note] if event.note else []
        return not self.holder

    def heard_ms(self) -> float:
        """Say half a second; how much was heard."""
        return self._do(lambda: self._client.say(syllables(0.5).astype(np.int16)).played_ms)

    def begin(self, said: Sound, text: str) -> "Future[object]":
        """Say it with its caption; done when it was heard."""

        def say() -> object:
            with self._client.turn() as turn:
                turn.caption(text)
                turn.write(said.astype(np.int16))
            return turn.wait()

        return self._thread.submit(say)

    def close(self) -> None:
        self._do(self._client.close)
        self._thread.shutdown()

    def _do(self, work: Callable[[], Any]) -> Any:
        return self._thread.submit(work).result(60)


@pytest.fixture
def voice_stack(kiosk: Kiosk) -> Iterator[VoiceStack]:
    """It has its floor back at the end of every test, whatever happened to the agent."""
    made = VoiceStack(kiosk.endpoint)
    yield made
    try:
        until(made.has_floor, "the floor is free again")
        assert made.heard_ms() >= 490
    finally:
        made.close()


def until(true: Callable[[], Any], what: str, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)


@pytest.fixture
def enter(open_page: Callable[..., Page], site: Site) -> Callable[..., Page]:
    """Signs a person in, and opens the kiosk."""

    def enter(user: str = "ben", **options: Any) -> Page:
        page = open_page(ignore_https_errors=True, **options)
        sign_in(page, user, site.passwords[user])
        page.goto(page.url.split("#")[0] + AT)
        return page

    return enter


def take(page: Page) -> None:
    page.get_by_role("button", name="Take over").click()
    page.wait_for_selector(".press:not([disabled])")


def speak(page: Page, seconds: float) -> tuple[Sound, float]:
    """Hold the button so long. Returns what the encoder got, and when its first frame was captured, UTC."""
    page.evaluate("window.spoken = []")
    page.locator(".press").focus()
    page.keyboard.down(" ")
    in_page_until(page, f"window.spoken.length > {round(seconds * 50)}")
    page.keyboard.up(" ")
    blocks = page.evaluate("window.spoken")
    sound = np.concatenate([np.array(block, dtype=float) for _, block in blocks])
    # The block that was handed over soonest says when they began: others waited for the page.
    return sound, min(at_ms / 1000 - 0.02 * (number + 1) for number, (at_ms, _) in enumerate(blocks))


def heard(kiosk: Kiosk) -> tuple[Sound, float]:
    """What the kiosk's speaker has played, and when its first frame was heard, UTC."""
    return read_wav(kiosk.sound), time.time() - (time.monotonic_ns() - kiosk.opened_ns) / 1e9


def delays_of(kiosk: Kiosk, spoken: tuple[Sound, float], most_s: float = 3.0) -> list[float]:
    until(lambda: heard(kiosk)[1] + len(heard(kiosk)[0]) / RATE_HZ > spoken[1] + len(spoken[0]) / RATE_HZ, "sound")
    time.sleep(1.5)
    return delays_s(*spoken, *heard(kiosk), most_s=most_s)


def heard_at(kiosk: Kiosk, page: Page) -> tuple[Sound, float]:
    """Speak until some of it is heard at the kiosk; on a busy machine a stretch can be lost. Returns that stretch."""
    for _ in range(TRIES):
        spoken = speak(page, SPOKEN_S)
        if delays_of(kiosk, spoken):
            return spoken
    raise AssertionError("nothing of what the agent spoke was heard at the kiosk")


def test_a_sentence_is_seen_in_the_page(enter, voice_stack: VoiceStack) -> None:
    page = enter("ana", face=True)
    expect(page.locator(".stage.live")).to_be_visible()
    page.evaluate(MOUTH)
    in_page_until(page, "window.mouth.length >= 8")
    resting = page.evaluate("window.mouth.splice(0)")
    speech = voice_stack.begin(syllables(SAID_S, seed=11), SENTENCE)
    expect(page.locator(".line.kiosk .line-text")).to_have_text(SENTENCE)
    speech.result(60)
    moving = page.evaluate("window.mouth")
    still, moved = (float(np.array(pictures).std(axis=0).mean()) for pictures in (resting, moving))
    print(f"mouth: {moved:.2f} grey levels in {len(moving)} pictures, at rest {still:.2f} in {len(resting)}")
    assert len(moving) >= 5
    assert moved > 1.5 * still


def test_a_sentence_is_heard_in_the_page(enter, voice_stack: VoiceStack) -> None:
    page = enter("ana", script=PLAYED)
    expect(page.locator(".stage.live")).to_be_visible()
    page.get_by_role("button", name="Hear the kiosk").click()
    said = syllables(SAID_S, seed=11)
    found: list[float] = []
    for _ in range(TRIES):
        page.evaluate("window.played = []")
        voice_stack.begin(said, SENTENCE).result(60)
        page.wait_for_timeout(2000)
        played = np.array(page.evaluate("window.played"), dtype=float)
        found += delays_s(said, 0.0, played, 5.0, most_s=8.0)
        if len(found) >= 5:
            break
    assert len(found) >= 5, "half seconds of the sentence"


def test_an_agent_is_heard_at_the_kiosk_and_hands_back(enter, kiosk: Kiosk, voice_stack: VoiceStack) -> None:
    page = enter(script=SPOKEN)
    take(page)
    until(lambda: not voice_stack.has_floor(), "the agent has the floor")
    delays: list[float] = []
    tries: list[tuple[Sound, float]] = []
    while len(delays) < 12 and len(tries) < TRIES:
        tries.append(speak(page, SPOKEN_S))
        delays += delays_of(kiosk, tries[-1])
    late_ms = sorted(1000 * each for each in delays)
    print(f"agent to speaker, {len(delays)} half seconds: median {np.median(late_ms):.0f} ms, p95 "
          f"{np.quantile(late_ms, 0.95):.0f} ms")  # fmt: skip
    assert len(delays) >= 12, "half seconds of what was spoken"
    page.fill("#takeover-note", "voucher agreed")
    page.get_by_role("button", name="Hand back").click()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    until(voice_stack.has_floor, "the stack has it back")
    assert voice_stack.notes == ["voucher agreed"]


@pytest.mark.usefixtures("voice_stack")
def test_what_the_microphone_heard_is_what_the_kiosk_played(enter, kiosk: Kiosk) -> None:
    """The chain from the file of the fake microphone, with the browser's own noise suppression in it."""
    page = enter(script=SPOKEN)
    take(page)
    spoken = heard_at(kiosk, page)
    file = np.concatenate([syllables(20, seed=3)] * 2)
    played, at_s = heard(kiosk)
    since = played[max(0, int((spoken[1] - at_s) * RATE_HZ)) :]
    found = delays_s(since, 0.0, file, -1.0, most_s=40.0)
    assert len(found) >= 3, "half seconds of the microphone's file, of eight"


def test_two_tabs_and_two_agents_at_one_kiosk(enter, kiosk: Kiosk, voice_stack: VoiceStack) -> None:
    one, other, carl = enter(script=SPOKEN), enter(script=SPOKEN), enter("carl")
    expect(carl.get_by_role("button", name="Take over")).to_be_visible()
    take(one)
    expect(carl.locator(".takeover-state")).to_contain_text("ben speaks through this kiosk")
    expect(other.locator(".takeover-state")).to_contain_text("in another tab")
    other.get_by_role("button", name="Continue here").click()
    other.wait_for_selector(".press:not([disabled])")
    heard_at(kiosk, other)
    other.get_by_role("button", name="Hand back").click()
    until(voice_stack.has_floor, "the stack has it back")
    expect(carl.get_by_role("button", name="Take over")).to_be_visible()


@pytest.mark.parametrize("way", ["navigates", "crashes"])
def test_a_page_that_ends_in_mid_takeover(enter, voice_stack: VoiceStack, way: str) -> None:
    page = enter()
    take(page)
    until(lambda: not voice_stack.has_floor(), "the agent has the floor")
    if way == "navigates":
        page.goto("about:blank")
    else:  # nothing is said to anybody
        session = page.context.new_cdp_session(page)
        with contextlib.suppress(Exception):
            session.send("Page.crash")
    until(voice_stack.has_floor, "the stack has it back")


def test_a_browser_that_sleeps_loses_the_floor_and_learns_it(enter, voice_stack: VoiceStack) -> None:
    page = enter()
    take(page)
    until(lambda: not voice_stack.has_floor(), "the agent has the floor")
    session = page.context.new_cdp_session(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    until(voice_stack.has_floor, "the stack has it back")
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(page.locator(".toast.bad")).to_contain_text("no longer hold")
    expect(page.get_by_role("button", name="Take over")).to_be_visible()


def test_a_broker_lost_in_mid_takeover(enter, site: Site, kiosk: Kiosk, voice_stack: VoiceStack) -> None:
    page = enter(script=SPOKEN)
    take(page)
    until(lambda: not voice_stack.has_floor(), "the agent has the floor")
    site.broker.stop()
    expect(page.locator(".banner")).to_be_visible()
    until(voice_stack.has_floor, "the stack has it back, without a broker")
    assert voice_stack.heard_ms() >= 490
    site.broker.start()
    expect(page.locator(".banner")).to_be_hidden()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    take(page)
    heard_at(kiosk, page)
    page.get_by_role("button", name="Hand back").click()


def test_an_agent_whose_account_is_revoked_in_mid_takeover(enter, site: Site, voice_stack: VoiceStack) -> None:
    page = enter("carl")
    take(page)
    until(lambda: not voice_stack.has_floor(), "the agent has the floor")
    site.fleet.remove_user("carl")
    site.reload()
    until(voice_stack.has_floor, "the stack has it back")
    expect(page.locator("#user, .banner").first).to_be_visible()


def test_a_kiosk_whose_key_is_revoked_speaks_on(enter, site: Site, voice_stack: VoiceStack) -> None:
    """The last test: this kiosk is enrolled no more."""
    page = enter()
    take(page)
    site.fleet.revoke(KIOSK.user)
    site.restart()
    until(voice_stack.has_floor, "the stack has it back")
    assert voice_stack.heard_ms() >= 490
    expect(page.locator(".banner")).to_be_hidden()
    assert page.locator(".press").count() == 0 or "lost" in (page.locator(".toast").last.inner_text())
