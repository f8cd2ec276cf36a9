"""Sign-in by a real broker: who may in, what is told, what is kept."""

import subprocess

import pytest
from playwright.sync_api import expect

from console import stack
from console.person import sign_in


def test_a_wrong_password_is_told(open_page) -> None:
    page = open_page()
    page.fill("#user", "ana")
    page.fill("#password", "wrong")
    page.click("button[type=submit]")
    expect(page.locator(".form-error")).to_contain_text("does not know this user and password")
    expect(page.locator("button[type=submit]")).to_be_enabled()


def test_an_address_where_nobody_answers_is_told(open_page) -> None:
    page = open_page()
    page.fill("#broker", f"ws://127.0.0.1:{stack.free_port()}/mqtt")
    page.fill("#user", "ana")
    page.fill("#password", "x")
    page.click("button[type=submit]")
    # The page's own policy permits its broker alone; either way there is no broker.
    expect(page.locator(".form-error")).to_contain_text("No broker answers")
    open_page.errors.clear()


@pytest.mark.parametrize(
    "address", ["ws://broker.example/mqtt", "https://broker.example", "nonsense", "wss://ana:secret@broker.example"]
)
def test_an_address_without_tls_is_refused(open_page, address: str) -> None:
    page = open_page()
    page.fill("#broker", address)
    page.fill("#user", "ana")
    page.fill("#password", "x")
    page.click("button[type=submit]")
    expect(page.locator(".form-error")).to_contain_text("wss://")


def test_the_password_is_stored_nowhere_and_the_rest_is_remembered(open_page) -> None:
    page = open_page()
    sign_in(page)
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert stack.PASSWORD not in stored
    assert '\\"user\\":\\"ana\\"' in stored
    page.reload()
    page.wait_for_selector("#user")
    assert page.input_value("#user") == "ana"
    assert page.input_value("#password") == ""


def test_the_policy_has_no_unsafe_word_and_blocks_inline_code(open_page, url: str) -> None:
    page = open_page()
    answer = page.request.get(url)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "unsafe" not in answer.text()
    page.evaluate("""() => {
        document.addEventListener("securitypolicyviolation", (event) => (window.blocked = event.violatedDirective));
        const script = document.createElement("script");
        script.append("window.ran = 1");
        try { document.body.append(script) } catch {}
    }""")
    assert page.evaluate("window.ran") is None
    open_page.errors.clear()


def test_mosquitto_itself_serves_the_page(browser, tmp_path) -> None:
    from mien.cli.console_site import copy_to

    site = tmp_path / "site"
    copy_to(site)
    folder = tmp_path / "broker"
    folder.mkdir()
    broker = stack.new_broker(folder, http_dir=site)
    broker.start()
    try:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{broker.web}/")
        page.wait_for_selector("#user")
        assert page.input_value("#broker") == f"ws://127.0.0.1:{broker.web}/mqtt"
        assert page.evaluate("getComputedStyle(document.querySelector('.sign-in')).display") == "grid"
        sign_in(page)
        expect(page.locator(".empty-title")).to_have_text("No kiosk has reported yet.")
        context.close()
    finally:
        broker.stop()


def test_sign_in_by_tls(browser, broker: stack.Broker, tmp_path) -> None:
    """The browser's end of wss://; mosquitto's own TLS is in front of the same broker."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    port = stack.free_port()
    conf = broker.folder / "mosquitto.conf"
    for name in ("key.pem", "cert.pem"):
        (tmp_path / name).chmod(0o644)
    conf.write_text(
        conf.read_text() + f"listener {port} 127.0.0.1\nprotocol websockets\ncertfile {tmp_path / 'cert.pem'}\n"
        f"keyfile {tmp_path / 'key.pem'}\n"
    )
    broker.stop()
    broker.start()
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    with stack.served(None) as address:
        page.goto(address)
        page.wait_for_selector("#user")
        page.fill("#broker", f"wss://localhost:{port}/mqtt")
        sign_in(page)
    context.close()


def test_what_is_no_broker_is_told(open_page) -> None:
    """A server that speaks HTTP but no WebSocket."""
    page = open_page()
    page.fill("#broker", page.url.replace("http", "ws") + "mqtt")
    page.fill("#user", "ana")
    page.fill("#password", "x")
    page.click("button[type=submit]")
    expect(page.locator(".form-error")).to_be_visible()
    open_page.errors.clear()


def test_a_revoked_user_is_signed_out(open_page, broker: stack.Broker) -> None:
    page = open_page()
    sign_in(page, "carl")
    passwords = broker.folder / "passwd"
    passwords.write_text(
        "".join(line for line in passwords.read_text().splitlines(True) if not line.startswith("carl:"))
    )
    broker.reload()
    broker.stop()
    broker.start()
    expect(page.locator(".form-error")).to_contain_text("signed out")
    assert page.input_value("#password") == ""
