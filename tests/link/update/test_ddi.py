"""What a hawkBit server says is hostile until it was validated once."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import UpdateError
from mien.link.update.ddi import (
    MAX_SLEEP_S,
    MIN_SLEEP_S,
    Cancel,
    Deployment,
    Poll,
    Unusable,
    parse_cancel,
    parse_deployment,
    parse_poll,
)

SHA1, SHA256 = "a" * 40, "b" * 64


def deployment(artifact: dict[str, Any] | None = None, **plan: Any) -> bytes:
    one = {
        "filename": "mien.raucb",
        "size": 1000,
        "hashes": {"sha1": SHA1, "md5": "c" * 32, "sha256": SHA256},
        "_links": {"download": {"href": "https://x/y"}, "download-http": {"href": "http://x/y"}},
        **(artifact or {}),
    }
    chunks = [{"part": "os", "version": "0.3.0", "name": "mien", "artifacts": [one]}]
    return json.dumps(
        {"id": "7", "deployment": {"download": "forced", "update": "forced", "chunks": chunks, **plan}}
    ).encode()


def test_a_poll() -> None:
    body = {
        "config": {"polling": {"sleep": "00:10:30"}},
        "_links": {"deploymentBase": {"href": "https://x/d"}, "configData": {"href": "https://x/c"}, "other": {}},
    }
    assert parse_poll(json.dumps(body).encode()) == Poll(sleep_s=630.0, deployment="https://x/d", config="https://x/c")
    assert parse_poll(b"{}") == Poll()


@pytest.mark.parametrize(
    ("sleep", "found"),
    [
        ("00:00:00", MIN_SLEEP_S),
        ("99:59:59", MAX_SLEEP_S),
        ("24:00:00", MAX_SLEEP_S),
        ("soon", None),
        ("-1:00:00", None),
    ],
)
def test_a_server_sets_the_interval_within_bounds(sleep: str, found: float | None) -> None:
    assert parse_poll(json.dumps({"config": {"polling": {"sleep": sleep}}}).encode()).sleep_s == found


def test_a_deployment() -> None:
    found = parse_deployment(deployment(), plain=False)
    assert isinstance(found, Deployment)
    assert (found.action, found.version, found.may_download, found.may_install) == ("7", "0.3.0", True, True)
    assert (found.artifact.href, found.artifact.sha256, found.artifact.size) == ("https://x/y", SHA256, 1000)


def test_windows_and_skips() -> None:
    assert not parse_deployment(deployment(update="skip"), plain=False).may_install
    assert not parse_deployment(deployment(maintenanceWindow="unavailable"), plain=False).may_install
    assert parse_deployment(deployment(maintenanceWindow="available"), plain=False).may_install
    assert not parse_deployment(deployment(download="skip"), plain=False).may_download


def test_a_link_without_tls_only_where_http_is_configured() -> None:
    only = {"_links": {"download-http": {"href": "http://x/y"}}}
    assert parse_deployment(deployment(only), plain=True).artifact.href == "http://x/y"
    with pytest.raises(Unusable, match="no download link"):
        parse_deployment(deployment(only), plain=False)


@pytest.mark.parametrize(
    ("artifact", "words"),
    [
        ({"filename": "mien.swu"}, "0 .raucb files"),
        ({"hashes": {}}, "neither a sha256 nor a sha1"),
        ({"hashes": {"md5": "c" * 32}}, "neither a sha256 nor a sha1"),
        ({"hashes": {"sha256": "../../etc/passwd"}}, "sha256"),
        ({"hashes": {"sha256": SHA256[:-1]}}, "sha256"),
        ({"_links": {}}, "no download link"),
        ({"_links": {"download": {"href": "https://x/ y"}}}, "no download link"),
    ],
)
def test_what_no_board_can_take_closes_its_action(artifact: dict[str, Any], words: str) -> None:
    with pytest.raises(Unusable, match=words) as refused:
        parse_deployment(deployment(artifact), plain=False)
    assert refused.value.action == "7"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"<html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": 7, "deployment": {}}',
        b'{"id": "../../x", "deployment": {"chunks": []}}',
        b'{"id": "7\\r\\nX: y", "deployment": {"chunks": []}}',
        deployment({"size": -1}),
        deployment({"size": 0}),
        deployment({"size": 1.5}),
        deployment({"size": "1000"}),
        deployment({"filename": "x" * 300}),
        deployment(download="maybe"),
        deployment(chunks=[{}] * 101),
        deployment(chunks={}),
        deployment({"_links": {"download": {"href": "https://x/" + "y" * 3000}}}),
    ],
)
def test_anything_else_is_an_error_and_nothing_more(body: bytes) -> None:
    with pytest.raises(UpdateError):
        parse_deployment(body, plain=False)


def test_two_bundles_are_one_too_many() -> None:
    whole = json.loads(deployment())
    whole["deployment"]["chunks"] *= 2
    with pytest.raises(Unusable, match=r"2 \.raucb"):
        parse_deployment(json.dumps(whole).encode(), plain=False)


def test_a_request_to_cancel() -> None:
    assert parse_cancel(b'{"id": "9", "cancelAction": {"stopId": "7"}}') == Cancel(id="9", stop="7")
    for body in (b"{}", b'{"id": "9", "cancelAction": {}}', b'{"id": "a/b", "cancelAction": {"stopId": "7"}}'):
        with pytest.raises(UpdateError):
            parse_cancel(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "deployment",
                    "chunks",
                    "artifacts",
                    "_links",
                    "href",
                    "download",
                    "size",
                    "hashes",
                    "config",
                    "sleep",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=200)
@given(JSON, st.binary(max_size=50))
def test_no_answer_raises_anything_else(tree: Any, junk: bytes) -> None:
    for body in (json.dumps(tree).encode(), junk):
        for parse in (parse_poll, parse_cancel, lambda text: parse_deployment(text, plain=True)):
            try:
                parse(body)
            except UpdateError:
                continue
