"""One kiosk, with live streams over a real broker: face, captions, sound, commands, lost parts."""

import time

import pytest
from playwright.sync_api import expect

from console import simulated, stack
from console.person import until as in_page_until
from mien.fleet import event as events
from mien.fleet.status import Avatar

PLAYED = """() => {
    window.played = 0;
    window.peak = 0;
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (...args) {
        window.played += this.buffer.duration;
        for (const sample of this.buffer.getChannelData(0)) window.peak = Math.max(window.peak, Math.abs(sample));
        return start.apply(this, args);
    };
}"""
NO_WEBCODECS = "delete window.AudioDecoder;"


@pytest.fixture
def kiosk(boards: simulated.Boards) -> simulated.Simulated:
    made = boards.add("berlin", "k1")
    boards.tell_health(made)
    boards.visit(made, phase="speaking")
    return made


def test_the_face_is_live_and_captions_appear(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in(at="#/kiosk/berlin/k1", face=True)
    expect(page.locator(".stage.live")).to_be_visible()
    expect(page.locator(".watchers")).to_contain_text("ana")
    assert set(kiosk.streams) == {"pose", "caption"}
    words = tuple((word, 300 * at, 300 * at + 280) for at, word in enumerate(simulated.SENTENCE.split()))
    boards.caption(kiosk, "kiosk", simulated.SENTENCE, words=words, heard_ms=600.0)
    expect(page.locator(".line.kiosk .line-text")).to_have_text(simulated.SENTENCE)
    expect(page.locator(".stage-caption")).to_contain_text("Good morning")
    boards.caption(kiosk, "customer", "Where is it?", "c1")
    expect(page.locator(".line.customer .line-text")).to_have_text("Where is it?")
    first = page.evaluate("document.querySelector('canvas.face').toDataURL().length")
    assert first > 1000


def test_leaving_the_page_stops_the_streams(signed_in, kiosk) -> None:
    page = signed_in(at="#/kiosk/berlin/k1")
    expect(page.locator(".stage.live")).to_be_visible()
    page.click(".back")
    page.wait_for_selector(".tile")
    deadline = time.monotonic() + 20
    while kiosk.streams and time.monotonic() < deadline:
        time.sleep(0.05)
    assert kiosk.streams == ()


@pytest.mark.parametrize("script", ["", NO_WEBCODECS], ids=["webcodecs", "without"])
def test_sound_is_decoded_and_played(signed_in, kiosk, script: str) -> None:
    page = signed_in(at="#/kiosk/berlin/k1", script=script)
    assert page.evaluate("'AudioDecoder' in window") is (script == "")
    expect(page.locator(".stage.live")).to_be_visible()
    page.evaluate(PLAYED)
    page.get_by_role("button", name="Hear the kiosk").click()
    in_page_until(page, "window.played > 0.5 && window.peak > 0.1")
    assert "heard" in kiosk.streams
    page.get_by_role("button", name="Mute the kiosk here").click()


def test_an_unknown_avatar_is_said_and_the_default_stands_in(signed_in, boards: simulated.Boards, kiosk) -> None:
    boards.change(kiosk, avatar=Avatar(name="<b>mine</b>", sha256="0" * 64))
    page = signed_in(at="#/kiosk/berlin/k1", face=True)
    expect(page.locator(".stage-notice")).to_contain_text("<b>mine</b>")
    expect(page.locator(".stage.live")).to_be_visible()


@pytest.mark.usefixtures("kiosk")
def test_an_avatar_file_that_is_none_is_survived(open_page) -> None:
    from console.person import sign_in

    page = open_page()
    page.route("**/avatars/*", lambda route: route.fulfill(body=b"MIENAVTR" + b"\xff" * 5000))
    sign_in(page)
    page.goto(page.url.split("#")[0] + "#/kiosk/berlin/k1")
    expect(page.locator(".stage-notice")).to_contain_text("could not be loaded")
    expect(page.locator(".commands .button").first).to_be_visible()


@pytest.mark.usefixtures("kiosk")
def test_without_webgl_all_else_works(signed_in) -> None:
    page = signed_in(at="#/kiosk/berlin/k1", script="HTMLCanvasElement.prototype.getContext = () => null;", face=True)
    expect(page.locator(".stage-notice")).to_contain_text("cannot draw the face")
    expect(page.locator(".commands .button").first).to_be_visible()


def test_an_operator_restarts_a_service_after_confirming(signed_in, kiosk) -> None:
    page = signed_in(at="#/kiosk/berlin/k1")
    page.select_option("#restart-service", "face")
    page.get_by_role("button", name="Restart", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Restart", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Restart Face on k1?")
    dialog.get_by_role("button", name="Restart").click()
    expect(page.locator(".toast")).to_contain_text("Restart: done.")
    restarts = [order for name, _, order in kiosk.commanded if name == "restart"]
    assert [order.service for order in restarts] == ["face"]


@pytest.mark.usefixtures("kiosk")
def test_doctor_and_log_are_shown(signed_in) -> None:
    page = signed_in(at="#/kiosk/berlin/k1")
    page.get_by_role("button", name="Run the check-up").click()
    expect(page.locator(".doctor-row.poor")).to_contain_text("allow NTP out")
    page.get_by_role("button", name="Load the log").click()
    expect(page.locator("pre.log")).to_contain_text("mien converse joined")


@pytest.mark.usefixtures("kiosk")
def test_what_a_role_may_not_do_is_not_offered(signed_in) -> None:
    page = signed_in("otto", at="#/kiosk/berlin/k1")
    expect(page.get_by_text("Your role here: observer")).to_be_visible()
    expect(page.get_by_role("button", name="Picture of the screen")).to_be_visible()
    expect(page.get_by_role("button", name="Take over")).to_have_count(0)
    expect(page.get_by_role("button", name="Reboot")).to_have_count(0)
    page = signed_in("ben", at="#/kiosk/berlin/k1")
    expect(page.get_by_text("Your role here: agent")).to_be_visible()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    expect(page.get_by_role("button", name="Reboot")).to_have_count(0)


def test_commands_that_the_board_does_not_permit_are_not_offered(signed_in, boards: simulated.Boards, kiosk) -> None:
    boards.change(kiosk, allowed=("ping", "volume"))
    page = signed_in(at="#/kiosk/berlin/k1")
    expect(page.locator("#volume")).to_be_visible()
    expect(page.get_by_role("button", name="Reboot")).to_have_count(0)


def test_a_lost_board_is_told(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in(at="#/kiosk/berlin/k1")
    expect(page.locator(".stage.live")).to_be_visible()
    boards.publish(kiosk, "status", b'{"online": false}', retain=True)
    expect(page.locator(".kiosk-state")).to_have_text("Offline")
    expect(page.locator(".stage-cover")).to_have_text("The kiosk is offline.")
    expect(page.locator(".commands")).to_contain_text("once the kiosk is online")
    boards.change(kiosk)
    expect(page.locator("#volume")).to_be_visible()


@pytest.mark.usefixtures("kiosk")
def test_a_kiosk_that_does_not_answer_is_said(signed_in, boards: simulated.Boards) -> None:
    page = signed_in(at="#/kiosk/berlin/k1")
    expect(page.locator("#volume")).to_be_visible()
    boards.answers = False
    page.get_by_role("button", name="Take no new visitors").click()
    page.get_by_role("dialog").get_by_role("button", name="Take no new visitors").click()
    expect(page.locator(".toast.bad")).to_contain_text("did not answer")


def test_a_kiosk_that_nobody_heard_of_says_so(signed_in, boards: simulated.Boards) -> None:
    page = signed_in(at="#/kiosk/berlin/nobody")
    expect(page.locator(".empty-title")).to_have_text("Nothing was heard of this kiosk yet.")
    boards.add("berlin", "nobody")
    expect(page.locator(".kiosk-state")).to_have_text("Idle")


def test_the_timeline_shows_this_visit_and_the_log_all(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in(at="#/kiosk/berlin/k1")
    expect(page.locator(".kiosk-state")).to_contain_text("Speaking")
    boards.event(kiosk, events.Visit, visit="v0", ended=True, turns=1, answered=1, unanswered=0)
    boards.event(kiosk, events.Visit, visit="v1", ended=False)
    kiosk.seq += 3
    boards.event(kiosk, events.Turn, client="c", turn="t", reason="played", heard_ms=2100.0, latency_ms=200.0)
    timeline = page.locator(".kiosk-talk .events")
    expect(timeline.locator(".event")).to_have_count(2)
    expect(timeline).to_contain_text("Said, 2.1 s heard")
    expect(timeline).to_contain_text("3 events are missing here.")
    expect(page.locator(".kiosk-side .events .event")).to_have_count(3)


def test_plots_draw_what_was_measured(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in(at="#/kiosk/berlin/k1")
    expect(page.get_by_role("img", name="Temperature: now 54 °C")).to_be_visible()
    boards.tell_health(kiosk, temperature_c=None, fps=24.0)
    expect(page.locator(".metric", has_text="Frames a second").locator(".metric-value")).to_have_text("24")
    assert stack.PASSWORD not in page.content()
