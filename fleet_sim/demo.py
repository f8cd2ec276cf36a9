"""`make fleet-demo`: a broker, three kiosks and the console; without a display a film of a takeover.

Real parts: mosquitto with TLS and the files of `mien fleet`, `mien run` and `mien link` for each kiosk, chromium, and
Prometheus where it is installed.
"""

import argparse
import base64
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleet_sim.kiosk import Kiosk
from fleet_sim.mosquitto import free_ports
from fleet_sim.screencast import Screencast, write_film
from fleet_sim.site import Site
from mien.cli.console_server import open_server
from mien.cli.console_site import security_headers, site
from mien.cli.tts import find_engine, synthesize
from mien.enrolment.boards_csv import Wanted
from mien.errors import MienError
from mien.fleet.topics import Board

PLACES: Final = (Board("berlin", "library"), Board("berlin", "town-hall"), Board("berlin", "museum"))
USER: Final = "ada"
SAYS: Final = (
    "Good afternoon, this is Ada from the front desk. I have just found your book.",
    "A colleague is bringing it downstairs. You need not wait here.",
)
NOTE: Final = "Book found; brought to the front desk."
SIZE: Final = (1280, 800)
MICROPHONE_HZ: Final = 48_000
_FLAGS: Final = (
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)


class Running(NamedTuple):
    """url: of the console. kiosks: in the order of PLACES. prometheus: its address, "" where it is not installed."""

    url: str
    site: Site
    kiosks: tuple[Kiosk, ...]
    prometheus: str


@contextlib.contextmanager
def running(folder: Path, port: int = 0) -> Iterator[Running]:
    """Everything, until the block ends. port: of the console; 0: a free one.

    Raises OSError, RuntimeError, TimeoutError.
    """
    made = Site(folder)
    made.fleet.enrol_all([Wanted(each.name, each.site, said=True, captions=True) for each in PLACES])
    made.add_user(USER, "operator")
    scrapes = free_ports(len(PLACES))
    for place, scrape in zip(PLACES, scrapes, strict=True):
        with (made.files(place) / "link.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[metrics]\nlisten = "127.0.0.1:{scrape}"\n')
    with contextlib.ExitStack() as stack:
        made.restart()
        stack.callback(made.broker.stop)
        kiosks = []
        for number, place in enumerate(PLACES):
            drawn = {} if number == 0 else {"face.renderer": "headless"}  # the first one is looked at
            kiosk = Kiosk(made.files(place), folder / place.name, {"face.fps": "25", **drawn})
            kiosks.append(stack.enter_context(kiosk))
        prometheus = stack.enter_context(_prometheus(folder, scrapes))
        url = stack.enter_context(_console(f"wss://127.0.0.1:{made.fleet.record.people_port}/mqtt", port))
        yield Running(url, made, tuple(kiosks), prometheus)


@contextlib.contextmanager
def receptionist(kiosk: Kiosk, *options: str) -> Iterator[None]:
    """The voice stack of a kiosk, as a process."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    command = [sys.executable, "-m", "fleet_sim.receptionist", kiosk.endpoint, *options]
    process = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def _console(broker: str, port: int) -> Iterator[str]:
    with open_server("127.0.0.1", port, site(broker), security_headers(broker)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def _prometheus(folder: Path, scrapes: Sequence[int]) -> Iterator[str]:
    """Debian's Prometheus, which scrapes the kiosks' links."""
    program = shutil.which("prometheus")
    if program is None:
        yield ""
        return
    (port,) = free_ports(1)
    targets = ", ".join(f"'127.0.0.1:{each}'" for each in scrapes)
    configured = folder / "prometheus.yml"
    configured.write_text(
        "global: {scrape_interval: 5s}\nscrape_configs:\n"
        f"  - job_name: mien\n    static_configs: [{{targets: [{targets}]}}]\n"
    )
    command = [program, f"--config.file={configured}", f"--storage.tsdb.path={folder / 'prometheus'}"]
    process = subprocess.Popen(
        [*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def key_hash(certificate: Path) -> str:
    """The hash by which chromium is told to trust a server's key."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


def write_microphone(path: Path) -> float:
    """What the agent says, as the file that chromium takes for a microphone, with a pause before it. Returns its
    length in s."""
    pause = bytes(2 * MICROPHONE_HZ // 2)
    spoken = [pause]
    for text in SAYS:
        with synthesize(text, find_engine(), "en+f3") as speech:
            spoken += [*speech.chunks(MICROPHONE_HZ), pause]
    pcm = b"".join(spoken)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_HZ)
        file.writeframes((np.frombuffer(pcm, "<i2") * 0.8).astype("<i2").tobytes())
    return len(pcm) / 2 / MICROPHONE_HZ


def film(shown: Running, folder: Path, out: Path) -> None:
    """Let chromium take the first kiosk over; write console.mp4 and console.jpg into `out`. Raises MienError."""
    from playwright.sync_api import sync_playwright

    microphone, pictures = folder / "ada.wav", folder / "pictures"
    seconds = write_microphone(microphone)
    pictures.mkdir()
    trusted = key_hash(shown.site.etc / "server.crt")
    flags = [*_FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop", "--lang=en-GB"]
    flags += ["--ignore-certificate-errors", f"--ignore-certificate-errors-spki-list={trusted}"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        size = {"width": SIZE[0], "height": SIZE[1]}
        context = browser.new_context(viewport=size, locale="en-GB", color_scheme="dark", ignore_https_errors=True)
        page = context.new_page()
        page.set_default_timeout(60_000)
        cast = Screencast(page, pictures, *SIZE)
        page.goto(shown.url)
        page.wait_for_selector("#user")
        cast.begin()
        _perform(page, shown, seconds, out)
        cast.end()
        browser.close()
    _tell(f"making a film of {len(cast.pictures)} pictures")
    kiosk = shown.kiosks[0]
    heard_at_s = time.time() - (time.monotonic_ns() - kiosk.opened_ns) / 1e9
    write_film(cast.pictures, out / "console.mp4", sound=kiosk.sound, heard_at_s=heard_at_s)


def _tell(step: str) -> None:
    print(f"fleet-demo: {step}", file=sys.stderr, flush=True)


def _perform(page: Any, shown: Running, seconds: float, out: Path) -> None:
    """Sign in, look at a kiosk, see its call, take it over, speak, hand back."""
    _tell("ada signs in")
    page.locator("#user").press_sequentially(USER, delay=60)
    page.locator("#password").fill(shown.site.passwords[USER])
    page.click("button[type=submit]")
    page.wait_for_selector(".tile")
    page.wait_for_timeout(2000)
    page.click(f'[data-key="{PLACES[0].user}"]')
    page.wait_for_selector(".stage.live")
    with receptionist(shown.kiosks[0], "--calls"):
        _tell("a customer is served, and needs a person")
        page.locator(".count:not([hidden])").wait_for()
        page.wait_for_timeout(1500)
        page.get_by_role("link", name="Calls").click()
        page.wait_for_timeout(2500)
        _tell("ada comes")
        page.get_by_role("button", name="I am coming").click()
        page.wait_for_selector(".stage.live")
        page.locator(".line.kiosk").first.wait_for()
        page.wait_for_timeout(2500)
        page.get_by_role("button", name="Take over").click()
        page.wait_for_selector(".press:not([disabled])")
        _tell("and speaks")
        page.locator(".press").focus()
        page.keyboard.down(" ")
        page.locator(".round-trip").get_by_text("ms").wait_for()
        page.wait_for_timeout(1000 * seconds * 0.4)
        page.screenshot(path=out / "console.jpg", type="jpeg", quality=82)
        page.wait_for_timeout(1000 * seconds * 0.6)
        page.keyboard.up(" ")
        page.wait_for_timeout(800)
        _tell("and hands back")
        page.locator("#takeover-note").press_sequentially(NOTE, delay=30)
        page.get_by_role("button", name="Hand back").click()
        page.get_by_role("button", name="Take over").wait_for()
        page.wait_for_timeout(7000)


def show(shown: Running, folder: Path) -> None:
    """Open chromium in a window where it is installed, and wait for Ctrl-C."""
    browser = shutil.which("chromium")
    if browser is not None:
        trusted = key_hash(shown.site.etc / "server.crt")
        options = [f"--user-data-dir={folder / 'chromium'}", f"--ignore-certificate-errors-spki-list={trusted}"]
        root = ["--no-sandbox"] if os.getuid() == 0 else []
        subprocess.Popen([browser, *options, *root, "--no-first-run", shown.url], stderr=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack, contextlib.suppress(KeyboardInterrupt):
        for number, kiosk in enumerate(shown.kiosks):
            stack.enter_context(receptionist(kiosk, *(["--calls"] if number == 0 else ["--from", str(number)])))
        signal.pause()


def announce(shown: Running) -> None:
    """Say where everything is."""
    authority = shown.site.fleet.folder / "users" / USER / "ca.crt"
    print(f"console     {shown.url}\nuser        {USER}\npassword    {shown.site.passwords[USER]}")
    print(f"authority   {authority} (let your browser trust it for the broker's TLS)")
    print(f"prometheus  {shown.prometheus or 'not installed'}", flush=True)


def main() -> int:
    """Parse, run, film or wait. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(), help="folder for console.mp4 and console.jpg")
    parser.add_argument("--film", action="store_true", help="also where there is a display")
    parser.add_argument("--port", type=int, default=0, help="of the console; 0: a free one")
    arguments = parser.parse_args()
    display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and not arguments.film
    with tempfile.TemporaryDirectory(prefix="mien-demo-") as name:
        try:
            with running(Path(name), arguments.port) as shown:
                announce(shown)
                if display:
                    show(shown, Path(name))
                else:
                    arguments.out.mkdir(parents=True, exist_ok=True)
                    film(shown, Path(name), arguments.out)
                    print(f"wrote {arguments.out / 'console.mp4'} and {arguments.out / 'console.jpg'}")
        except (MienError, OSError, RuntimeError, TimeoutError) as error:
            print(f"fleet-demo: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
