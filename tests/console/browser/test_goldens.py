"""Screenshots of every page against golden ones, tolerant of text rendering.

Draw them anew after a change of the design, look at every one, and commit them:

    MIEN_NEW_GOLDENS=1 make test-console CONSOLE=test_goldens.py
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from console import simulated
from console.person import until as in_page_until
from mien.fleet import event as events
from mien.fleet.status import Call, Visit

GOLDENS = Path(__file__).with_name("goldens")
NEW = bool(os.environ.get("MIEN_NEW_GOLDENS"))
# The page's clock and the boards' stand at this moment.
NOW_S = 1_796_040_000.0
SCREENS = {"phone": (360, 740), "desk": (1280, 800), "wall": (1920, 1080)}
# Mean colour of blocks of 16x16 pixels, in steps of 255: fonts may be hinted in another way, panels may not move.
BLOCK, MOST_ON_AVERAGE, MOST_BLOCKS_OFF, OFF = 16, 2.0, 0.03, 24.0
MOST_BYTES = 1_500_000


def blocks(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    height, width = (side // BLOCK * BLOCK for side in pixels.shape[:2])
    cut = pixels[:height, :width].astype(float)
    return cut.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean(axis=(1, 3))


def read(path: Path) -> NDArray[np.uint8]:
    import pygame

    return np.swapaxes(pygame.surfarray.array3d(pygame.image.load(str(path))), 0, 1)


def compare(page: Page, name: str, tmp_path: Path) -> None:
    page.mouse.move(0, 0)
    golden = GOLDENS / f"{name}.jpg"
    if NEW:
        page.screenshot(path=golden, type="jpeg", quality=60)
        return
    taken = tmp_path / golden.name
    page.screenshot(path=taken, type="jpeg", quality=60)
    one, other = read(taken), read(golden)
    assert one.shape == other.shape
    difference = np.abs(blocks(one) - blocks(other)).max(axis=2)
    off = float((difference > OFF).mean())
    print(f"{name}: mean {difference.mean():.2f}, {100 * off:.1f} % of blocks off")
    assert difference.mean() < MOST_ON_AVERAGE
    assert off < MOST_BLOCKS_OFF


@pytest.fixture
def fleet(boards: simulated.Boards) -> simulated.Simulated:
    sites = ("central-station", "city-library", "town-hall")
    for number in range(48):
        made = boards.add(sites[number % 3], f"kiosk-{number + 1:02d}", at=NOW_S, started=NOW_S - 86_400)
        boards.tell_health(made, at=NOW_S, temperature_c=50.0 + number % 9)
        if number % 5 == 0:
            boards.change(made, visit=Visit(visit="v", phase="answer", language="en", since=NOW_S - 30 * number - 40))
    at = boards.boards
    boards.change(at["city-library/kiosk-20"], level="audio_only")
    boards.publish(at["town-hall/kiosk-12"], "status", b'{"online": false}', retain=True)
    boards.tell_health(at["central-station/kiosk-31"], at=NOW_S, temperature_c=84.0)
    call = Call(call="c1", since=NOW_S - 75, language="en", question="Where can I have a form stamped?")
    boards.change(at["town-hall/kiosk-36"], call=call)
    return at["central-station/kiosk-16"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_pages_look_like_their_goldens(
    signed_in, open_page, boards: simulated.Boards, fleet: simulated.Simulated, tmp_path: Path, screen: str, scheme: str
) -> None:
    width, height = SCREENS[screen]
    # The clock stands; timers run, so that the page goes on.
    script = f"Date.now = () => {NOW_S * 1000};"
    options = {
        "face": True,
        "width": width,
        "height": height,
        "color_scheme": scheme,
        "script": script,
        "timezone_id": "Europe/Berlin",
    }
    page = open_page(**options)
    if width > 900:
        page.wait_for_selector(".still-face.shown")
    page.fill("#broker", "wss://broker.example:8084/mqtt")
    page.locator("#broker").blur()
    compare(page, f"sign-in-{screen}-{scheme}", tmp_path)
    page.close()
    page = signed_in("ana", **options)
    in_page_until(page, "document.querySelector('.wall-summary').textContent === '4 need attention'")
    compare(page, f"wall-{screen}-{scheme}", tmp_path)
    base = page.url.split("#")[0]
    page.goto(f"{base}#/calls")
    page.wait_for_selector(".call-card")
    compare(page, f"calls-{screen}-{scheme}", tmp_path)
    told = {"ended": True, "turns": 5, "answered": 4, "unanswered": 1, "questions": ("Lost property?",)}
    boards.event(fleet, events.Visit, at=NOW_S, visit="v1", **told)
    boards.event(fleet, events.Turn, at=NOW_S, client="c", turn="t", reason="played", heard_ms=2400.0, latency_ms=190.0)
    page.goto(f"{base}#/report")
    while page.locator(".questions li").count() == 0 or "190 ms" not in page.locator("tr.total").inner_text():
        page.goto(f"{base}#/calls")  # the report shows itself anew each two seconds, and the clock stands
        page.wait_for_selector(".call-card")
        page.goto(f"{base}#/report")
        page.wait_for_selector("tr.total")
    compare(page, f"report-{screen}-{scheme}", tmp_path)
    boards.still = True
    page.goto(f"{base}#/kiosk/{fleet.place.user}")
    page.wait_for_selector("#volume")
    page.wait_for_selector(".stage.live")
    boards.caption(fleet, "customer", "When does the library open?", "c1", final=True)
    boards.caption(fleet, "kiosk", simulated.SENTENCE, "k1", final=True)
    page.wait_for_selector(".line.kiosk")
    page.locator(".live-badge").evaluate("element => (element.style.display = 'none')")
    page.get_by_role("button", name="Take over").click()
    page.wait_for_selector(".press:not([disabled])")
    page.locator(".round-trip").evaluate("element => element.remove()")
    page.locator(".meter").evaluate("element => element.remove()")
    compare(page, f"kiosk-{screen}-{scheme}", tmp_path)


def test_the_goldens_are_small() -> None:
    files = list(GOLDENS.glob("*.jpg"))
    assert len(files) == 5 * len(SCREENS) * 2
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
