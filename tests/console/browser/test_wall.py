"""The wall with real retained messages: order, filters, keyboard, hostile boards, size."""

import json
import time

import msgspec
from playwright.sync_api import expect

from console import simulated, stack
from mien.fleet.status import Status

EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def names(page) -> list[str]:
    return page.locator(".tile-name").all_inner_texts()


def by_place(page) -> list[str]:
    """Names in the order on the screen."""
    tiles = page.evaluate("""() => [...document.querySelectorAll(".tile")].map((tile) => {
        const box = tile.getBoundingClientRect();
        return [box.y, box.x, tile.querySelector(".tile-name").textContent];
    })""")
    return [name for _, _, name in sorted(tiles)]


def test_boards_are_sorted_by_need_and_follow_their_messages(signed_in, boards: simulated.Boards) -> None:
    for number in range(6):
        boards.add("berlin", f"k{number}")
    page = signed_in()
    expect(page.locator(".tile")).to_have_count(6)
    expect(page.locator(".wall-summary")).to_have_text("All 6 kiosks are well.")
    boards.change(boards.boards["berlin/k3"], level="no_voice")
    expect(page.locator(".wall-summary")).to_have_text("1 needs attention")
    boards.call(boards.boards["berlin/k5"])
    expect(page.locator(".wall-summary")).to_have_text("2 need attention")
    assert by_place(page)[:2] == ["k5", "k3"]
    boards.change(boards.boards["berlin/k5"], call=None)
    boards.change(boards.boards["berlin/k3"], level="full")
    expect(page.locator(".wall-summary")).to_have_text("All 6 kiosks are well.")
    assert by_place(page)[0] == "k0"


def test_search_filter_and_empty_state(signed_in, boards: simulated.Boards) -> None:
    for number in range(4):
        boards.add("berlin", f"k{number}", online=number != 2)
    page = signed_in()
    expect(page.locator(".tile")).to_have_count(4)
    page.click('[data-filter="offline"]')
    expect(page.locator(".tile-name")).to_have_text(["k2"])
    page.fill("#wall-search", "nothing like it")
    expect(page.locator(".empty-title")).to_have_text("No kiosk matches.")
    page.click("text=Show all kiosks")
    expect(page.locator(".tile")).to_have_count(4)


def test_keyboard_moves_between_tiles_and_opens_one(signed_in, boards: simulated.Boards) -> None:
    for number in range(300):
        boards.add("berlin", f"k{number:03d}")
    page = signed_in()
    expect(page.locator(".wall-summary")).to_have_text("All 300 kiosks are well.")
    page.locator(".tile").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.key") == "berlin/k001"
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.dataset.key") == "berlin/k299"
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("k299")


def test_a_board_that_says_markup_shows_markup(signed_in, boards: simulated.Boards) -> None:
    evil = boards.add("berlin", "evil", draining=True, update=EVIL, version=EVIL, image=EVIL)
    boards.visit(evil, language=EVIL[:200])
    page = signed_in()
    expect(page.locator(".tile-state")).to_contain_text("<img src=x")
    page.click(".tile")
    expect(page.locator(".facts")).to_contain_text("<script>")
    boards.caption(evil, "kiosk", EVIL)
    expect(page.locator(".line-text").first).to_contain_text("<script>")
    assert page.evaluate("window.hacked") is None


def test_hostile_payloads_are_dropped_and_counted(signed_in, boards: simulated.Boards) -> None:
    good = boards.add("berlin", "good")
    page = signed_in()
    expect(page.locator(".tile")).to_have_count(1)
    hostile = [
        b"", b"null", b"{", b"[" * 100_000, b"\xff\xfe\x00", b'{"online": "yes"}', b'{"online": true, "volume": 1e400}',
        b'{"online": true, "__proto__": {"x": 1}, "site": 7}',
        json.dumps({"online": True, "version": "x" * 9999}).encode(),
    ]  # fmt: skip
    for payload in hostile:
        for rest in ("status", "health", "event", "live/pose", "live/caption", "live/heard", "live/ear", "answer/ana"):
            if (rest, payload) != ("status", b""):
                boards.publish(good, rest, payload, qos=1)
    boards.publish(good, "event", b"x" * 10_000_000)
    boards.change(good, version="9.9.9")
    expect(page.locator(".notice")).to_contain_text("malformed")
    expect(page.locator(".tile")).to_have_count(1)
    page.click(".tile")
    expect(page.locator(".facts")).to_contain_text("9.9.9")
    assert page.evaluate("({}).x") is None


def test_ten_thousand_boards_that_do_not_exist_do_not_freeze_it(signed_in, boards: simulated.Boards) -> None:
    page = signed_in()
    page.evaluate("""() => {
        window.longest = 0;
        let before = performance.now();
        setInterval(() => {
            const now = performance.now();
            window.longest = Math.max(window.longest, now - before);
            before = now;
        }, 20);
    }""")
    payload = msgspec.json.encode(Status(online=True, level="full", clock="synchronized"))
    for number in range(10_050):
        boards.client.publish(f"mien/1/site-{number % 40}/ghost-{number}/status", payload, qos=1)
    expect(page.locator(".wall-summary")).to_have_text("All 10,000 kiosks are well.")
    expect(page.locator(".notice")).to_contain_text("More than 10,000 kiosks")
    assert page.locator(".tile").count() < 250
    page.locator(".grid-scroller").evaluate("element => (element.scrollTop = 100000)")
    expect(page.locator(".tile").first).to_be_visible()
    page.fill("#wall-search", "ghost-9999")
    expect(page.locator(".tile-name")).to_have_text(["ghost-9999"])
    heap_mb = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
    longest_ms = page.evaluate("window.longest")
    print(f"10,000 boards: heap {heap_mb:.0f} MB, longest pause {longest_ms:.0f} ms")
    assert heap_mb < 300


def test_what_does_not_change_touches_no_node(signed_in, boards: simulated.Boards) -> None:
    for number in range(40):
        boards.add("berlin", f"k{number:02d}")
    page = signed_in()
    expect(page.locator(".wall-summary")).to_have_text("All 40 kiosks are well.")
    page.evaluate("""() => {
        window.touched = new Set();
        new MutationObserver((records) => {
            for (const { target } of records) {
                const tile = (target.closest ? target : target.parentElement).closest(".tile");
                if (tile) window.touched.add(tile.dataset.key);
            }
        }).observe(document.querySelector(".grid-surface"), {
            subtree: true, childList: true, characterData: true, attributes: true,
        });
    }""")
    boards.visit(boards.boards["berlin/k07"])
    expect(page.locator('[data-key="berlin/k07"] .tile-state')).to_contain_text("Visitor")
    assert page.evaluate("[...window.touched]") == ["berlin/k07"]


def test_a_lost_broker_is_told_and_comes_back(signed_in, boards: simulated.Boards, broker: stack.Broker) -> None:
    boards.add("berlin", "k1")
    page = signed_in()
    expect(page.locator(".tile")).to_have_count(1)
    broker.stop()
    expect(page.locator(".banner")).to_contain_text("Connection lost")
    expect(page.locator(".tile")).to_have_count(1)
    broker.start()
    expect(page.locator(".banner")).to_be_hidden()
    deadline = time.monotonic() + 30
    while not boards.client.is_connected() and time.monotonic() < deadline:
        time.sleep(0.1)
    boards.change(boards.boards["berlin/k1"], level="silent")
    expect(page.locator(".tile-state")).to_have_text("No sound card")
