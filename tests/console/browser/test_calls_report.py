"""Calls that ring and are accepted by one; a day's report and its CSV."""

import csv
import io
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console import simulated
from console.person import until as in_page_until
from mien.fleet import event as events

RINGING = """
window.rings = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...args) { window.rings += 1; return start.apply(this, args); };
"""


@pytest.fixture
def kiosk(boards: simulated.Boards) -> simulated.Simulated:
    return boards.add("berlin", "k1")


def test_a_call_rings_and_is_accepted_by_one(signed_in, boards: simulated.Boards, kiosk) -> None:
    ana = signed_in("ana", at="#/calls", script=RINGING)
    ben = signed_in("ben", at="#/calls")
    otto = signed_in("otto", at="#/calls")
    expect(ana.locator(".empty-title")).to_have_text("Nobody is calling.")
    boards.call(kiosk, question="Where is <i>it</i>?")
    for page in (ana, ben, otto):
        expect(page.locator(".call-card")).to_contain_text("Where is <i>it</i>?")
    in_page_until(ana, "window.rings > 0")
    expect(ana.locator(".count")).to_have_text("1")
    ben.locator(".call-answers select").select_option("120")
    ben.get_by_role("button", name="I am coming").click()
    expect(ben.locator("h1")).to_have_text("k1")
    expect(ana.locator(".call-card")).to_contain_text("Accepted by ben")
    expect(ana.locator(".count")).to_be_hidden()
    given = [order for name, _, order in kiosk.commanded if name == "answer_call"]
    assert [(order.call, order.coming, order.in_s) for order in given] == [("c1", True, 120)]
    ana.reload()


def test_who_comes_too_late_is_told(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in("ana", at="#/calls")
    boards.call(kiosk)
    expect(page.locator(".call-card")).to_be_visible()
    kiosk.status = kiosk.status.__class__(online=True)  # the customer left; the status is still on the way
    page.get_by_role("button", name="Nobody can come").click()
    expect(page.locator(".toast.bad")).to_contain_text("The call is over.")


def test_a_call_that_nobody_answers_is_told_honestly(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in("ana", at="#/calls")
    boards.call(kiosk)
    expect(page.locator(".call-card")).to_be_visible()
    boards.change(kiosk, call=None)
    boards.event(kiosk, events.Call, call="c1", state="timed_out", waited_s=90.0)
    expect(page.locator(".call-card")).to_have_count(0)
    expect(page.locator(".events")).to_contain_text("nobody came; the kiosk told the customer, after 1 min")


def test_an_observer_cannot_answer(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in("otto", at="#/calls")
    boards.call(kiosk)
    page.get_by_role("button", name="I am coming").click()
    expect(page.locator(".toast.bad")).to_contain_text("Your role does not permit it.")
    assert [name for name, _, _ in kiosk.commanded if name == "answer_call"] == []


def test_the_report_counts_and_downloads(signed_in, boards: simulated.Boards, kiosk, tmp_path: Path) -> None:
    page = signed_in("ana", at="#/report")
    expect(page.locator("h1")).to_have_text("Today")
    for number in range(3):
        questions = ('=cmd("evil")', "Wo ist das Fundbüro?") if number == 0 else None
        boards.event(
            kiosk, events.Visit, visit=f"v{number}", ended=True, turns=4, answered=3, unanswered=1, questions=questions
        )
        boards.event(
            kiosk, events.Turn, client="c", turn=f"t{number}", reason="played", heard_ms=900.0, latency_ms=200.0
        )
    expect(page.locator("tr.total")).to_contain_text("75%")
    expect(page.locator(".questions li")).to_have_count(2)
    with page.expect_download() as started:
        page.get_by_role("button", name="Download CSV").click()
    path = tmp_path / "report.csv"
    started.value.save_as(path)
    text = path.read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text.split("\n\n")[0])))
    assert rows[0]["kiosk"] == "berlin/k1"
    assert (rows[0]["visits"], rows[0]["answered_share"], rows[0]["first_sound_p95_ms"]) == ("3", "0.75", "200")
    assert "\n=" not in text
    assert ",=" not in text
    assert "Fundbüro" in text
