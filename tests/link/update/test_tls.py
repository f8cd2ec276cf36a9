"""An update server by TLS: its authority is pinned, and nothing leaves it for plain HTTP."""

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rigs.update_rig import DdiServer, partial
from rigs.updating_board import UpdatingBoard


def certificate(folder: Path, name: str = "127.0.0.1", days: int = 30) -> Path:
    """A certificate that signs itself, with its key beside it."""
    path = folder / f"{name}.crt"
    words = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -days {days}"
    more = ["-addext", f"subjectAltName=IP:{name}", "-keyout", path.with_suffix(".key"), "-out", path]
    subprocess.run(["openssl", *words.split(), *more], capture_output=True, check=True)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DdiServer]:
    found = certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(found, found.with_suffix(".key"))
    server = DdiServer(tls=tls)
    server.action = "7"
    yield server
    server.close()


def steps(board: UpdatingBoard, number: int = 30) -> None:
    for _ in range(number):
        board.step()


def test_a_pinned_authority(server: DdiServer, tmp_path: Path) -> None:
    board = UpdatingBoard(server.url, tmp_path, ca="127.0.0.1.crt")
    for _ in range(100):
        board.step()
    assert server.closed_as() == ["success"]


def test_a_stranger_s_authority(server: DdiServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = tmp_path / "other"
    other.mkdir()
    certificate(other, "127.0.0.2")
    board = UpdatingBoard(server.url, tmp_path, ca="other/127.0.0.2.crt")
    steps(board)
    assert server.requests == []
    assert "certificate verify failed" in caplog.text
    assert board.link.record.phase == "idle"


def test_the_authorities_of_the_system_do_not_know_it(server: DdiServer, tmp_path: Path) -> None:
    steps(UpdatingBoard(server.url, tmp_path))
    assert server.requests == []


@pytest.mark.parametrize("by", ["link", "redirect"])
def test_a_bundle_does_not_come_by_plain_http(server: DdiServer, tmp_path: Path, by: str) -> None:
    plain = DdiServer(server.bundle)
    host = plain.url.replace("127.0.0.1", "127.0.0.2")  # not our own server: that one would be asked by https instead
    if by == "link":
        server.href = f"{host}/files/mien.raucb"
    else:
        server.faults.redirects = [f"{host}/files/mien.raucb"]
    board = UpdatingBoard(server.url, tmp_path, ca="127.0.0.1.crt")
    steps(board)
    assert server.closed_as() == ["failure"]
    assert "by https too" in server.details[-1]
    assert plain.requests == []
    assert partial(tmp_path) == []
    plain.close()


def test_a_stranger_s_server_gets_no_token(server: DdiServer, tmp_path: Path) -> None:
    """The request ends in the handshake."""
    (tmp_path / "token").write_text("s3cret")
    board = UpdatingBoard(server.url, tmp_path, token_file="token")
    steps(board)
    assert server.requests == []
