"""The page's files: what is committed, what `mien console` serves, what it refuses."""

import hashlib
import http.client
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mien.cli.console_server import open_server
from mien.cli.console_site import BUNDLE, PAGES, check_broker, copy_to, security_headers, site
from mien.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 1_000_000


def test_the_bundle_is_whole_small_and_ours_alone() -> None:
    assert sorted(path.name for path in BUNDLE.iterdir()) == sorted(PAGES)
    assert sum(path.stat().st_size for path in BUNDLE.iterdir()) < MOST_BYTES
    packages = json.loads((ROOT / "console" / "package.json").read_text())
    assert "dependencies" not in packages  # nothing of others is bundled


def test_packages_are_pinned_and_name_no_registry() -> None:
    lock = (ROOT / "console" / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "://" not in re.sub(r'"(url|funding|node)": "[^"]*"', "", lock)
    for version in json.loads((ROOT / "console" / "package.json").read_text())["devDependencies"].values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_the_page_loads_nothing_from_elsewhere_and_holds_no_unsafe_policy() -> None:
    page = (BUNDLE / "index.html").read_text()
    assert "unsafe" not in page
    assert "://" not in page.replace("ws://localhost:*", "").replace("ws://127.0.0.1:*", "")
    assert "innerHTML" not in (BUNDLE / "console.js").read_text()
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", (BUNDLE / "console.css").read_text())


def test_avatars_are_found_by_their_sha256() -> None:
    files = site()
    default = (ROOT / "models" / "avatars" / "default.mien-avatar").read_bytes()
    assert files[f"avatars/{hashlib.sha256(default).hexdigest()}.mien-avatar"].read() == default
    assert files["avatars/default.mien-avatar"].read() == default


@pytest.fixture
def server():
    with open_server("127.0.0.1", 0, site(), security_headers()) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def get(server, path: str, method: str = "GET") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    connection.request(method, path)
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    connection.close()
    return answer


def test_files_are_served_with_a_strict_policy(server) -> None:
    answer = get(server, "/?x=1")
    assert answer.status == 200
    assert answer.body == (BUNDLE / "index.html").read_bytes()
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert get(server, "/console.js", "HEAD").body == b""


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/cli/__init__.py", "//etc/passwd", "/console", "/avatars/", "/avatars/x"]
)
def test_nothing_else_is_served(server, path: str) -> None:
    assert get(server, path).status == 404
    assert get(server, path, "POST").status == 501


def test_a_broker_narrows_the_policy() -> None:
    policy = security_headers("wss://broker.example:8084/mqtt")["Content-Security-Policy"]
    assert "connect-src 'self' wss://broker.example:8084;" in policy


@pytest.mark.parametrize("url", ["ws://broker.example/mqtt", "http://broker.example", "wss://", "wss://a:b@c", "x"])
def test_a_broker_without_tls_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="--broker"):
        check_broker(url)


def test_copying_the_site(tmp_path: Path) -> None:
    count = copy_to(tmp_path, "wss://broker.example/mqtt")
    assert count == len([path for path in tmp_path.rglob("*") if path.is_file()])
    assert json.loads((tmp_path / "config.json").read_text()) == {"broker": "wss://broker.example/mqtt"}


def mien(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mien", "console", *arguments], capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize(("arguments", "says"), [
    (("--listen", "8080"), "HOST:PORT"),
    (("--listen", "127.0.0.1:99999"), "HOST:PORT"),
    (("--broker", "ws://broker.example"), "wss://"),
])  # fmt: skip
def test_bad_usage_is_one_sentence(arguments: tuple[str, ...], says: str) -> None:
    ended = mien(*arguments)
    assert ended.returncode == 2
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
