"""Fetching a bundle: cut, resumed, lied about, redirected."""

from pathlib import Path
from typing import Any

import pytest

from mien.errors import ConfigError, UpdateError
from mien.fleet.topics import Board as Place
from mien.link.config import UpdateConfig
from mien.link.update import download as download_module
from mien.link.update.ddi import parse_deployment
from mien.link.update.download import Download
from mien.link.update.http import MAX_REDIRECTS, Http
from rigs.update_rig import TENANT, DdiServer, partial

PLACE = Place("lab", "k7")


def fetch(server: DdiServer, folder: Path, http: Http | None = None) -> Download:
    """A download of what the server offers."""
    server.action = "7"
    http = http or Http(UpdateConfig(url=server.url), PLACE, folder)
    offer = parse_deployment(http.get(f"{TENANT}/deploymentBase/7"), plain=True)
    return Download(http, offer.artifact, folder)


def always() -> bool:
    return True


def test_a_whole_file(server: DdiServer, tmp_path: Path) -> None:
    held = fetch(server, tmp_path)
    assert held.step(always)
    assert held.path.read_bytes() == server.bundle


def test_it_pauses_and_goes_on_with_the_same_connection(server: DdiServer, tmp_path: Path) -> None:
    held = fetch(server, tmp_path)
    turns = iter([True, True])
    assert not held.step(lambda: next(turns, False))
    assert 0 < held.received < len(server.bundle)
    assert held.step(always)
    assert len([path for _, path, _ in server.requests if path.startswith("/files/")]) == 1


def test_what_is_there_of_another_bundle_is_removed(server: DdiServer, tmp_path: Path) -> None:
    (tmp_path / "other.raucb").write_bytes(b"x" * 1000)
    assert fetch(server, tmp_path).step(always)
    assert partial(tmp_path) == [len(server.bundle)]


def test_a_cut_is_told_and_the_next_attempt_goes_on(server: DdiServer, tmp_path: Path) -> None:
    server.faults.cut_after = 100_000
    held = fetch(server, tmp_path)
    with pytest.raises(UpdateError) as cut:
        held.step(always)
    assert not cut.value.final
    assert held.received == 100_000
    assert held.step(always)
    assert held.path.read_bytes() == server.bundle


def test_a_server_without_ranges_begins_anew(server: DdiServer, tmp_path: Path) -> None:
    server.faults.cut_after, server.faults.ignore_range = 100_000, True
    held = fetch(server, tmp_path)
    with pytest.raises(UpdateError):
        held.step(always)
    assert held.step(always)
    assert held.path.read_bytes() == server.bundle


def test_a_part_that_is_of_another_file_is_fetched_once_more(server: DdiServer, tmp_path: Path) -> None:
    held = fetch(server, tmp_path)
    held.path.write_bytes(b"?" * 5000)
    held = fetch(server, tmp_path)
    with pytest.raises(UpdateError, match="once more") as wrong:
        held.step(always)
    assert not wrong.value.final
    assert held.step(always)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"length": 299_999}, "sends 299999 bytes, and promised 300000"),
        ({"length": 10**15}, "and promised 300000"),
        ({"encoding": "gzip"}, "compresses"),
        ({"wrong_bytes": True}, "digest is wrong"),
        ({"status": 404}, "HTTP 404"),
    ],
)
def test_a_server_that_lies_is_believed_nothing(
    server: DdiServer, tmp_path: Path, faults: dict[str, Any], words: str
) -> None:
    held = fetch(server, tmp_path)
    for name, value in faults.items():
        setattr(server.faults, name, value)
    with pytest.raises(UpdateError, match=words) as lie:
        held.step(always)
    assert lie.value.final
    assert held.received == 0
    assert not held.whole


def test_a_stream_without_an_end_is_read_no_further_than_promised(server: DdiServer, tmp_path: Path) -> None:
    server.faults.chunked = True
    held = fetch(server, tmp_path)
    assert held.step(always)
    assert held.received == len(server.bundle)


@pytest.mark.parametrize(
    "told", ["bytes 0-299999/300000", "bytes 100000-299999/1", "bytes 100000-399999/400000", "items 1"]
)
def test_a_range_that_was_not_asked_for_is_not_taken(server: DdiServer, tmp_path: Path, told: str) -> None:
    server.faults.cut_after, server.faults.content_range = 100_000, told
    held = fetch(server, tmp_path)
    with pytest.raises(UpdateError):
        held.step(always)
    with pytest.raises(UpdateError, match="was asked"):
        held.step(always)
    assert held.received == 100_000


def test_a_busy_server_is_asked_again(server: DdiServer, tmp_path: Path) -> None:
    server.faults.status = 503
    held = fetch(server, tmp_path)
    with pytest.raises(UpdateError, match="503") as busy:
        held.step(always)
    assert not busy.value.final


def test_a_bundle_that_does_not_fit_is_not_begun(
    server: DdiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download_module, "SPARE_BYTES", 10**18)
    held = fetch(server, tmp_path)
    with pytest.raises(UpdateError, match="do not fit") as full:
        held.step(always)
    assert full.value.final
    assert partial(tmp_path) == []


def test_redirects_are_followed_a_few_times(server: DdiServer, tmp_path: Path) -> None:
    held = fetch(server, tmp_path)
    server.faults.redirects = [f"/files/{number}" for number in range(MAX_REDIRECTS)]
    assert held.step(always)
    endless = fetch(server, tmp_path / "2")
    server.faults.redirects = [f"/files/{number}" for number in range(100)]
    with pytest.raises(UpdateError, match="redirects"):
        endless.step(always)
    assert len(server.faults.redirects) == 100 - MAX_REDIRECTS - 1


@pytest.mark.parametrize(
    "place", ["ftp://x/y", "file:///etc/passwd", "http://user:password@x/y", "//", "http://x:99999/", "http://x/ y", ""]
)
def test_a_redirect_to_what_is_no_web_address_is_not_followed(server: DdiServer, tmp_path: Path, place: str) -> None:
    held = fetch(server, tmp_path)
    server.faults.redirects = [place] * (MAX_REDIRECTS + 1)
    with pytest.raises(UpdateError) as refused:
        held.step(always)
    assert refused.value.final
    assert partial(tmp_path) == []


def test_the_token_goes_to_our_own_server_only(server: DdiServer, tmp_path: Path) -> None:
    other = DdiServer()
    (tmp_path / "token").write_text("s3cret\n")
    http = Http(UpdateConfig(url=server.url, token_file="token", token="gateway"), PLACE, tmp_path)
    held = fetch(server, tmp_path, http)
    server.faults.redirects = [f"{other.url}/files/mien.raucb"]
    assert held.step(always)
    assert {headers.get("Authorization") for _, _, headers in server.requests} == {"GatewayToken s3cret"}
    assert [headers.get("Authorization") for _, _, headers in other.requests] == [None]
    other.close()


def test_https_stays_https(tmp_path: Path) -> None:
    http = Http(UpdateConfig(url="https://updates.example:8443/hawkbit"), PLACE, tmp_path)
    assert http.base == "/hawkbit/DEFAULT/controller/v1/lab.k7"
    assert http.permitted("https://cdn.example/x") == "https://cdn.example/x"
    with pytest.raises(UpdateError, match="by https too"):
        http.permitted("http://cdn.example/x")
    # A server behind a proxy does not know its own name.
    assert http.permitted("http://updates.example/x?y=1") == "https://updates.example:8443/x?y=1"
    assert http.authority("https://updates.example:8443/x") == ()


def test_links_of_the_api_are_of_our_own_server_and_of_this_board(tmp_path: Path) -> None:
    http = Http(UpdateConfig(url="https://updates.example"), PLACE, tmp_path)
    inside = "/DEFAULT/controller/v1/lab.k7/deploymentBase/7?c=1"
    assert http.own(f"http://wrong-name:8080{inside}") == inside
    for href in (
        "https://updates.example/DEFAULT/controller/v1/lab.k8/deploymentBase/7",
        "https://updates.example/DEFAULT/controller/v1/lab.k7/../lab.k8/x",
        "https://updates.example/DEFAULT/controller/v1/lab.k7/%2e%2e/x",
        "ftp://updates.example/DEFAULT/controller/v1/lab.k7/x",
        "http://[",
    ):
        with pytest.raises(UpdateError):
            http.own(href)


@pytest.mark.parametrize("url", ["", "updates.example", "ftp://x", "https://u:p@x", "https://x/?a=b", "https://x/#a"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"update\.url"):
        Http(UpdateConfig(url=url), PLACE, tmp_path)


@pytest.mark.parametrize("token", [b"", b"two words", b"x" * 501, b"\xff", b"a\nAuthorization: b"])
def test_a_token_file_without_a_token_is_refused(tmp_path: Path, token: bytes) -> None:
    (tmp_path / "token").write_bytes(token)
    with pytest.raises(ConfigError, match=r"update\.token_file"):
        Http(UpdateConfig(url="https://x", token_file="token"), PLACE, tmp_path)


def test_an_authority_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("no certificate")
    with pytest.raises(ConfigError, match=r"update\.ca"):
        Http(UpdateConfig(url="https://x", ca="ca.crt"), PLACE, tmp_path)


def test_a_sign_in_page_is_no_server(server: DdiServer, tmp_path: Path) -> None:
    http = Http(UpdateConfig(url=server.url), PLACE, tmp_path)
    server.faults.redirects = ["http://hotel.example/login"]
    with pytest.raises(UpdateError, match="sign-in page"):
        http.get("/files/x")
    server.faults.raw["/page"] = b"<html>welcome</html>" * 20_000
    with pytest.raises(UpdateError, match="more than"):
        http.get("/page")
