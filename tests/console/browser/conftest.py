"""A broker, simulated boards, the page's server and chromium, shared by the tests of a file."""

from __future__ import annotations

import hashlib
import os
import shutil
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from console import simulated, stack
from console.person import sign_in
from mien.avatar.load import default_avatar_path

CHROMIUM = os.environ.get("MIEN_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--font-render-hinting=none",
)
PATIENCE_MS = 60_000  # the machine may be busy: a test waits for what happens, never for a time

expect.set_options(timeout=PATIENCE_MS)
simulated.DEFAULT_SHA = hashlib.sha256(default_avatar_path().read_bytes()).hexdigest()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fake microphone hears: 440 Hz in syllables, as noise suppression takes a steady tone for noise."""
    path = tmp_path_factory.mktemp("tone") / "tone.wav"
    times = np.arange(48_000 * 2) / 48_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        voice = sum(
            share * np.sin(2 * np.pi * 440 * number * times) for number, share in ((1, 1.0), (2, 0.3), (3, 0.2))
        )
        syllables = np.clip(3 * np.sin(2 * np.pi * 2 * times), 0, 1)
        file.writeframes((14_000 * voice * syllables).astype("<i2").tobytes())
    return path


@pytest.fixture(scope="session")
def browser(playwright: Playwright, tone: Path) -> Iterator[Browser]:
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={tone}"]
    started = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
    yield started
    started.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[stack.Broker]:
    made = stack.new_broker(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def boards(broker: stack.Broker) -> Iterator[simulated.Boards]:
    made = simulated.Boards(broker.port)
    yield made
    made.close()


@pytest.fixture
def url(broker: stack.Broker) -> Iterator[str]:
    with stack.served(broker) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Opens the page in a browser of its own; fails at the end on any error that a page logged or threw.

    face False: no avatar is loaded, because drawing one takes most of a machine without a GPU.
    """
    contexts = []
    errors: list[str] = []

    def open_page(
        address: str = url,
        *,
        script: str = "",
        face: bool = False,
        width: int = 1280,
        height: int = 800,
        **options: object,
    ) -> Page:
        context = browser.new_context(
            **{"viewport": {"width": width, "height": height}, "locale": "en-GB", "reduced_motion": "reduce", **options}
        )
        contexts.append(context)
        if script:
            context.add_init_script(script)
        if not face:
            context.route("**/avatars/*", lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(address)
        page.wait_for_selector("#user")
        return page

    open_page.errors = errors  # type: ignore[attr-defined]
    yield open_page
    for context in contexts:
        context.close()
    # A refused WebSocket and an avatar that does not come are logged by chromium itself.
    logged = ("WebSocket connection", "404", "ERR_FAILED")
    assert [each for each in errors if not any(known in each for known in logged)] == []


@pytest.fixture
def signed_in(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the page and signs a person in."""

    def signed_in(user: str = "ana", at: str = "", **options: object) -> Page:
        page = open_page(**options)
        sign_in(page, user)
        if at:
            page.goto(page.url.split("#")[0] + at)
        return page

    return signed_in
