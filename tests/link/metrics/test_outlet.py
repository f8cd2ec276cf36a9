"""The two ways to Prometheus on a board: a scrape, which is bounded, and a textfile, which is never half."""

import asyncio
import stat
from pathlib import Path

import pytest

from mien.errors import ConfigError, StorageError
from mien.link.config import MetricsConfig
from mien.link.metrics import server as server_module
from mien.link.metrics.outlet import serve_metrics
from mien.link.metrics.server import MOST_CLIENTS, MetricsServer, parse_listen
from mien.link.metrics.textfile import write_textfile

TEXT = b"mien_level 4\n"


async def asked(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        return await reader.read(-1)
    except ConnectionResetError:  # closed with the request unread
        return b""
    finally:
        writer.close()


def served(*requests: bytes) -> list[bytes]:
    async def run() -> list[bytes]:
        server = MetricsServer(lambda: TEXT)
        port = await server.start("127.0.0.1", 0)
        try:
            return [await asked(port, request) for request in requests]
        finally:
            await server.stop()

    return asyncio.run(run())


def test_get_metrics_is_answered() -> None:
    [answer] = served(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert b"text/plain; version=0.0.4" in head
    assert f"Content-Length: {len(TEXT)}".encode() in head
    assert body == TEXT


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /metrics/../etc/passwd HTTP/1.1\r\n\r\n", b"404"),
        (b"\x16\x03\x01 hello\r\n\r\n", b"400"),
        (b"GET /metrics\r\n\r\n", b"400"),
    ],
)
def test_nothing_else_is_answered(request_bytes: bytes, status: bytes) -> None:
    [answer] = served(request_bytes)
    assert answer.split(b" ")[1] == status
    assert TEXT not in answer


def test_a_request_without_an_end_is_closed_and_the_next_one_answered() -> None:
    endless, good = served(b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 10_000, b"GET /metrics HTTP/1.0\r\n\r\n")
    assert endless == b""
    assert good.endswith(TEXT)


def test_silent_clients_are_bounded_in_number_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "CLIENT_S", 0.3)

    async def run() -> tuple[bytes, bytes]:
        server = MetricsServer(lambda: TEXT)
        port = await server.start("127.0.0.1", 0)
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CLIENTS)]
        refused = await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        for reader, _ in silent:
            assert await reader.read(-1) == b""  # closed after its time
        answered = await asked(port, b"GET /metrics HTTP/1.1\r\n\r\n")
        for _, writer in silent:
            writer.close()
        await server.stop()
        return refused, answered

    refused, answered = asyncio.run(run())
    assert refused == b""
    assert answered.endswith(TEXT)


@pytest.mark.parametrize("text", ["", "9106", ":9106", "x:", "x:0", "x:70000", "x:1a", "x:\u0661"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"metrics\.listen"):
        parse_listen(text)


def test_addresses() -> None:
    assert parse_listen("0.0.0.0:9106") == ("0.0.0.0", 9106)
    assert parse_listen("[::1]:9106") == ("::1", 9106)


def test_a_port_that_is_taken_is_told() -> None:
    async def run() -> None:
        first = MetricsServer(lambda: TEXT)
        port = await first.start("127.0.0.1", 0)
        try:
            with pytest.raises(ConfigError, match=rf"127\.0\.0\.1:{port}"):
                await MetricsServer(lambda: TEXT).start("127.0.0.1", port)
        finally:
            await first.stop()

    asyncio.run(run())


def test_a_textfile_is_replaced_whole_and_everybody_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "mien.prom"
    write_textfile(path, b"old\n")
    with path.open("rb") as old:
        write_textfile(path, TEXT)
        assert old.read() == b"old\n"  # a reader keeps what it opened
    assert path.read_bytes() == TEXT
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["mien.prom"]


def test_a_textfile_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"metrics\.textfile"):
        write_textfile(tmp_path / "absent" / "mien.prom", TEXT)


def test_both_ways_run_until_they_are_cancelled(tmp_path: Path) -> None:
    path = tmp_path / "mien.prom"

    async def run() -> None:
        task = asyncio.create_task(serve_metrics(MetricsConfig(textfile=str(path)), lambda: TEXT))
        while not path.exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert path.read_bytes() == TEXT


def test_metrics_that_are_off_cost_nothing() -> None:
    asyncio.run(serve_metrics(MetricsConfig(), lambda: pytest.fail("rendered")))


def test_a_folder_that_is_full_does_not_end_the_link(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        config = MetricsConfig(textfile=str(tmp_path / "absent" / "mien.prom"))
        task = asyncio.create_task(serve_metrics(config, lambda: TEXT))
        while not caplog.records:
            await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()

    asyncio.run(run())
    assert "metrics.textfile" in caplog.text
