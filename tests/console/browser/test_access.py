"""Accessibility by axe-core on every page, in both appearances; languages; narrow screens."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console import simulated

AXE = Path(os.environ.get("MIEN_CONSOLE_MODULES", "console/node_modules")) / "axe-core" / "axe.min.js"
PAGES = ("#/", "#/kiosk/berlin/k1", "#/calls", "#/report")


@pytest.fixture
def kiosk(boards: simulated.Boards) -> simulated.Simulated:
    made = boards.add("berlin", "k1")
    boards.tell_health(made)
    boards.visit(made, phase="speaking")
    for number, change in enumerate(({"level": "silent"}, {"online": False}, {"clock": "unset"}, {})):
        boards.add("berlin", f"other-{number}", **change)
    boards.call(boards.add("hamburg", "h1"), question="Where is it?")
    return made


def serious(page) -> list[str]:
    """What axe-core finds and holds for serious or critical."""
    page.evaluate(AXE.read_text() + ";0")
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.usefixtures("kiosk")
def test_axe_finds_nothing_serious(signed_in, open_page, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    assert serious(page) == []
    page = signed_in("ana", color_scheme=scheme)
    found: list[str] = []
    for at in PAGES:
        page.goto(page.url.split("#")[0] + at)
        page.wait_for_selector({"#/": ".tile", "#/calls": ".call-card", "#/report": "table"}.get(at, "#volume"))
        found += [f"{at} {each}" for each in serious(page)]
    page.goto(page.url.split("#")[0] + PAGES[1])
    page.get_by_role("button", name="Take over").click()
    page.wait_for_selector(".press:not([disabled])")
    found += [f"takeover {each}" for each in serious(page)]
    page.get_by_role("button", name="Reboot").click()
    found += [f"dialog {each}" for each in serious(page)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("language", "wall", "commands"), [("de", "Kioske", "Befehle"), ("es", "Quioscos", "Órdenes")])
@pytest.mark.usefixtures("kiosk")
def test_languages(signed_in, language: str, wall: str, commands: str) -> None:
    page = signed_in("ana")
    page.click(".menu summary")
    page.select_option("#language", language)
    expect(page.locator("h1")).to_have_text(wall)
    assert page.evaluate("document.documentElement.lang") == language
    page.goto(page.url.split("#")[0] + PAGES[1])
    expect(page.locator("h2", has_text=commands)).to_be_visible()
    page.reload()
    page.wait_for_selector("#user")
    assert page.evaluate("document.documentElement.lang") == language


@pytest.mark.parametrize("width", [360, 768, 1920])
@pytest.mark.usefixtures("kiosk")
def test_no_page_is_wider_than_the_screen(signed_in, width: int) -> None:
    page = signed_in("ana", width=width, height=740)
    for at in PAGES:
        page.goto(page.url.split("#")[0] + at)
        page.wait_for_selector({"#/": ".tile", "#/calls": ".call-card", "#/report": "table"}.get(at, "#volume"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, at


@pytest.mark.usefixtures("kiosk")
def test_by_keyboard_alone(open_page) -> None:
    page = open_page()
    page.locator("#user").focus()
    page.keyboard.type("ben")
    page.keyboard.press("Tab")
    page.keyboard.type("correct-horse")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tile")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    page.locator('[data-key="berlin/k1"]').focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take over").press("Enter")
    page.wait_for_selector(".press:not([disabled])")
    page.locator(".press").focus()
    page.keyboard.down("Enter")
    expect(page.locator(".press")).to_have_text("You are heard")
    page.keyboard.up("Enter")
    expect(page.locator(".press")).to_have_text("Hold to speak")
