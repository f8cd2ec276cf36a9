"""Takeover: a fake microphone's tone becomes Opus at the board; typing, whispering, handing back; one holder."""

import itertools
import struct
import time

import numpy as np
import pytest
from playwright.sync_api import expect

from console import simulated, stack
from console.person import until as in_page_until
from mien.audio.opus import OpusDecoder
from mien.fleet.status import Floor


@pytest.fixture
def kiosk(boards: simulated.Boards) -> simulated.Simulated:
    made = boards.add("berlin", "k1")
    boards.visit(made)
    return made


def until(true, what: str, within_s: float = 40.0) -> None:
    """Wait for something that a board was told."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)


def sounds(payloads: list[bytes]) -> list[tuple[int, int, list[bytes]]]:
    """(flags, number, Opus packets) of each payload."""
    read = []
    for payload in payloads:
        version, flags, seq, _, count = struct.unpack_from("<BBHQB", payload)
        assert version == 1
        packets, at = [], 13
        for _ in range(count):
            (size,) = struct.unpack_from("<H", payload, at)
            packets.append(payload[at + 2 : at + 2 + size])
            at += 2 + size
        assert at == len(payload)
        read.append((flags, seq, packets))
    return read


def take(page) -> None:
    page.get_by_role("button", name="Take over").click()
    page.wait_for_selector(".press:not([disabled])")


def test_press_and_speak_reaches_the_board_as_opus(signed_in, kiosk) -> None:
    page = signed_in("ben", at="#/kiosk/berlin/k1")
    take(page)
    assert kiosk.status.floor
    assert kiosk.status.floor.holder == "ben"
    expect(page.locator(".round-trip")).to_contain_text("ms")
    in_page_until(page, "new DOMMatrix(getComputedStyle(document.querySelector('.meter-fill')).transform).a > 0.3")
    box = page.locator(".press").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    assert kiosk.speech == []
    page.mouse.down()
    expect(page.locator(".press")).to_have_text("You are heard")
    until(lambda: len(kiosk.speech) > 40, "speech")
    page.mouse.up()
    until(lambda: sounds(kiosk.speech)[-1][0] & 2, "the end of the stretch")
    read = sounds(kiosk.speech)
    assert read[0][0] & 1
    assert all(not flags & 1 for flags, _, _ in read[1:])
    numbers = [seq for _, seq, _ in read]
    assert all((after - before) % 65536 == 1 for before, after in itertools.pairwise(numbers))
    decoder = OpusDecoder(16_000)
    pcm = np.concatenate([decoder.decode(packet) for _, _, packets in read for packet in packets]).astype(float)
    assert len(pcm) == 320 * sum(len(packets) for _, _, packets in read)
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    peak_hz = float(np.argmax(spectrum)) * 16_000 / len(pcm)
    assert abs(peak_hz - 440) < 5


def test_the_space_bar_speaks_too_but_not_while_typing(signed_in, kiosk) -> None:
    page = signed_in("ben", at="#/kiosk/berlin/k1")
    take(page)
    page.locator("#takeover-say").fill("")
    page.keyboard.type("a b")
    assert page.input_value("#takeover-say") == "a b"
    assert kiosk.speech == []
    page.locator(".press").focus()
    page.keyboard.down(" ")
    until(lambda: len(kiosk.speech) > 5, "speech")
    page.keyboard.up(" ")
    until(lambda: sounds(kiosk.speech)[-1][0] & 2, "the end")


def test_typing_whispering_and_handing_back_with_a_note(signed_in, kiosk) -> None:
    page = signed_in("ben", at="#/kiosk/berlin/k1")
    take(page)
    page.fill("#takeover-say", "I am Ben. <b>How</b> may I help?")
    page.keyboard.press("Enter")
    until(lambda: any(name == "say" for name, _, _ in kiosk.commanded), "say")
    page.fill("#takeover-whisper", "offer the voucher")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").last).to_contain_text("The voice agent has it.")
    page.fill("#takeover-note", "voucher agreed")
    page.get_by_role("button", name="Hand back").click()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    given = {name: order for name, _, order in kiosk.commanded}
    assert given["say"].text == "I am Ben. <b>How</b> may I help?"
    assert given["whisper"].text == "offer the voucher"
    assert kiosk.notes == ["voucher agreed"]
    assert kiosk.status.floor is None


@pytest.mark.usefixtures("kiosk")
def test_two_agents_cannot_hold_one_floor(signed_in) -> None:
    one = signed_in("ben", at="#/kiosk/berlin/k1")
    other = signed_in("carl", at="#/kiosk/berlin/k1")
    expect(other.get_by_role("button", name="Take over")).to_be_visible()
    take(one)
    expect(other.locator(".takeover-state")).to_contain_text("ben speaks through this kiosk")
    expect(other.get_by_role("button", name="Take over")).to_have_count(0)
    watching = signed_in("otto", at="#/kiosk/berlin/k1")
    expect(watching.locator(".takeover-state")).to_contain_text("ben speaks")


def test_a_floor_that_was_taken_meanwhile_names_the_holder(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in("ben", at="#/kiosk/berlin/k1")
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    # The board has it already, but its status is still on the way.
    kiosk.status = kiosk.status.__class__(**{**_fields(kiosk.status), "floor": Floor(holder="ana", since=time.time())})
    page.get_by_role("button", name="Take over").click()
    expect(page.locator(".toast.bad")).to_contain_text("ana has taken over")
    boards.change(kiosk)
    expect(page.locator(".takeover-state")).to_contain_text("ana speaks through this kiosk")


@pytest.mark.usefixtures("kiosk")
def test_two_tabs_of_one_person(signed_in) -> None:
    one = signed_in("ben", at="#/kiosk/berlin/k1")
    other = signed_in("ben", at="#/kiosk/berlin/k1")
    take(one)
    expect(other.locator(".takeover-state")).to_contain_text("in another tab")
    other.get_by_role("button", name="Continue here").click()
    other.wait_for_selector(".press:not([disabled])")


def test_a_floor_that_is_lost_is_told(signed_in, boards: simulated.Boards, kiosk) -> None:
    page = signed_in("ben", at="#/kiosk/berlin/k1")
    take(page)
    boards.change(kiosk, floor=None)
    expect(page.locator(".toast.bad")).to_contain_text("no longer hold")
    expect(page.get_by_role("button", name="Take over")).to_be_visible()


def test_leaving_asks_and_a_closed_page_hands_back(signed_in, kiosk) -> None:
    page = signed_in("ben", at="#/kiosk/berlin/k1")
    take(page)
    page.click(".back")
    page.get_by_role("dialog").get_by_role("button", name="Stay").click()
    expect(page.locator(".press")).to_be_visible()
    assert kiosk.status.floor
    page.click(".back")
    page.get_by_role("dialog").get_by_role("button", name="Hand back").click()
    page.wait_for_selector(".tile")
    until(lambda: kiosk.status.floor is None, "the floor")
    page.click(".tile")
    take(page)
    page.goto("about:blank")
    until(lambda: kiosk.status.floor is None, "the floor of a closed page")


@pytest.mark.usefixtures("kiosk")
def test_without_an_encoder_one_can_type(signed_in) -> None:
    page = signed_in("ben", at="#/kiosk/berlin/k1", script="delete window.AudioEncoder;")
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_text("This browser cannot encode speech")).to_be_visible()
    expect(page.locator(".press")).to_be_disabled()
    expect(page.locator("#takeover-say")).to_be_enabled()


def test_a_broker_lost_in_mid_takeover(signed_in, boards: simulated.Boards, broker: stack.Broker, kiosk) -> None:
    page = signed_in("ben", at="#/kiosk/berlin/k1")
    take(page)
    broker.stop()
    expect(page.locator(".banner")).to_be_visible()
    broker.start()
    expect(page.locator(".banner")).to_be_hidden()
    until(boards.client.is_connected, "the boards' connection")
    boards.change(kiosk, floor=None)  # what the board does when its watcher is gone
    expect(page.get_by_role("button", name="Take over")).to_be_visible()


def _fields(status) -> dict[str, object]:
    return {name: getattr(status, name) for name in status.__struct_fields__}
