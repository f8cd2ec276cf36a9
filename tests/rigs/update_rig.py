"""An update's surroundings: a board with two slots, a kiosk with visitors, a hawkBit server that may misbehave."""

import hashlib
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from mien.errors import UpdateError
from mien.link.update.board import BoardState, Bundle, Inspection, Install

TENANT = "/DEFAULT/controller/v1/lab.k7"


class IdealBoard:
    """Two slots, a boot loader and an installer: as RAUC and mien-health behave, without a disk.

    inspector: of a bundle, when not `version` and `build` of every bundle. A new slot is marked good unless `spoilt`.
    """

    def __init__(self, inspector: Callable[[Bundle], Inspection] | None = None) -> None:
        self.slots = {"A": ("0.2.0", "1"), "B": ("", "")}
        self.slot, self.next_slot = "A", "A"
        self.good = {"A": True, "B": False}
        self.compatible = "mien-arm64"
        self.boots = 1
        self.up_s = 100.0
        self.streams = False
        self.spoilt = False
        self.reachable = True
        self.install_looks = 2
        self.fails_with = ""
        self.bundles: list[Bundle] = []
        self.reboots = 0
        self._install = Install()
        self._left = 0
        self._inspector = inspector or (lambda _: Inspection(version="0.3.0", build="2"))

    def look(self) -> BoardState:
        self._reach()
        if self._install.state == "running":
            self._left -= 1
            if self._left <= 0:
                self._finish()
        version, build = self.slots[self.slot]
        return BoardState(
            boot=f"boot-{self.boots}",
            up_s=self.up_s,
            slot=self.slot,
            version=version,
            build=build,
            compatible=self.compatible,
            good=self.good[self.slot],
            streams=self.streams,
            install=self._install,
        )

    def inspect(self, bundle: Bundle) -> Inspection:
        self._reach()
        return self._inspector(bundle)

    def install(self, bundle: Bundle, tag: str) -> None:
        self._reach()
        if tag == self._install.tag:
            return
        self.bundles.append(bundle)
        self._left = self.install_looks
        self._install = Install(tag=tag, state="running")
        self.slots[self._other] = ("", "")  # half written

    def reboot(self) -> None:
        self._reach()
        self.reboots += 1
        self.start()

    def start(self) -> None:
        """The board starts again: by request, by its watchdog, or after a power cut. A spoilt slot falls back."""
        self.boots += 1
        self.up_s = 20.0
        self._install = Install()
        self.slot = self.next_slot
        if not self.good[self.slot]:
            if self.spoilt:
                self.slot = self.next_slot = self._other
            else:
                self.good[self.slot] = True

    @property
    def _other(self) -> str:
        return "B" if self.slot == "A" else "A"

    def _finish(self) -> None:
        if self.fails_with:
            self._install = Install(tag=self._install.tag, state="failed", why=self.fails_with)
            return
        found = self._inspector(self.bundles[-1])
        self.slots[self._other] = (found.version, found.build)
        self.good[self._other] = False
        self.next_slot = self._other
        self._install = Install(tag=self._install.tag, state="done", percent=100)

    def _reach(self) -> None:
        if not self.reachable:
            raise UpdateError("the board's control does not answer")


class FakeKiosk:
    """visitor: somebody is being served. works: face and voice do."""

    def __init__(self) -> None:
        self.draining = False
        self.visitor = False
        self.works = True
        self.face = self.turn = False
        self.rehearsals = 0

    def drain(self, on: bool) -> None:
        self.draining = on

    def drained(self) -> bool:
        return self.draining and not self.visitor

    def face_seen(self) -> bool:
        return self.face

    def turn_heard(self) -> bool:
        return self.turn

    def rehearse(self) -> None:
        self.rehearsals += 1
        self.turn = self.face = self.works


@dataclass
class Faults:
    """How the server misbehaves. cut_after: bytes of each download, None for none."""

    cut_after: int | None = None
    cuts: int = 1
    ignore_range: bool = False
    length: int | None = None
    chunked: bool = False
    content_range: str | None = None
    encoding: str = ""
    redirects: list[str] = field(default_factory=list)
    status: int = 0
    wrong_bytes: bool = False
    raw: dict[str, bytes] = field(default_factory=dict)


class DdiServer:
    """hawkBit's DDI as its documentation describes it, on a free port of this machine."""

    def __init__(
        self, bundle: bytes = b"bundle" * 50_000, base: str = TENANT, tls: ssl.SSLContext | None = None
    ) -> None:
        self.bundle, self.base = bundle, base
        self.faults = Faults()
        self.action = ""
        self.version = "0.3.0"
        self.cancel = ""
        self.download = self.update = "forced"
        self.window = ""
        self.wants_config = False
        self.size: int | None = None
        self.feedback: list[tuple[str, str, str, str]] = []  # kind, identity, execution, finished
        self.details: list[str] = []
        self.attributes: dict[str, Any] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.href = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def closed_as(self) -> list[str]:
        """How the action was closed, each time."""
        return [
            finished
            for kind, _, execution, finished in self.feedback
            if (kind, execution) == ("deploymentBase", "closed")
        ]

    def json(self, path: str) -> dict[str, Any] | None:
        if path == self.base:
            links = {}
            if self.wants_config:
                links["configData"] = {"href": f"{self.url}{self.base}/configData"}
            if self.cancel:
                links["cancelAction"] = {"href": f"{self.url}{self.base}/cancelAction/{self.cancel}"}
            elif self.action:
                links["deploymentBase"] = {"href": f"{self.url}{self.base}/deploymentBase/{self.action}?c=-1"}
            return {"config": {"polling": {"sleep": "00:05:00"}}, "_links": links}
        if path == f"{self.base}/cancelAction/{self.cancel}":
            return {"id": self.cancel, "cancelAction": {"stopId": self.action}}
        if path == f"{self.base}/deploymentBase/{self.action}":
            return {"id": self.action, "deployment": self._plan()}
        return None

    def _plan(self) -> dict[str, Any]:
        plan: dict[str, Any] = {"download": self.download, "update": self.update}
        if self.window:
            plan["maintenanceWindow"] = self.window
        name = "download" if self.url.startswith("https") else "download-http"
        artifact = {
            "filename": "mien.raucb",
            "size": len(self.bundle) if self.size is None else self.size,
            "hashes": {
                "sha1": hashlib.sha1(self.bundle).hexdigest(),
                "sha256": hashlib.sha256(self.bundle).hexdigest(),
            },
            "_links": {name: {"href": self.href or f"{self.url}/files/mien.raucb"}},
        }
        return plan | {"chunks": [{"part": "os", "version": self.version, "name": "mien", "artifacts": [artifact]}]}

    def take(self, path: str, document: dict[str, Any]) -> int:
        """Feedback and attributes. Returns HTTP's status."""
        words = path.removeprefix(f"{self.base}/").split("/")
        if words == ["configData"]:
            self.attributes, self.wants_config = document["data"], False
            return 200
        if len(words) != 3 or words[2] != "feedback":
            return 404
        status = document["status"]
        execution, finished = status["execution"], status["result"]["finished"]
        self.feedback.append((words[0], words[1], execution, finished))
        self.details += status["details"]
        if words[0] == "cancelAction" and execution == "closed":
            self.cancel = self.action = ""
        elif words[0] == "cancelAction":
            self.cancel = ""
        elif execution == "closed":
            if words[1] != self.action:
                return 410
            self.action = ""
        return 200

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments: object) -> None:
                pass

            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                server.requests.append(("GET", self.path, dict(self.headers)))
                if path in server.faults.raw:
                    return self._send(200, server.faults.raw[path])
                if path.startswith("/files/"):
                    return self._file()
                found = server.json(path)
                return self._send(404 if found is None else 200, json.dumps(found).encode())

            def do_POST(self) -> None:
                server.requests.append((self.command, self.path, dict(self.headers)))
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._send(server.faults.status or server.take(self.path, json.loads(body)), b"{}")

            do_PUT = do_POST

            def _send(self, status: int, body: bytes, **headers: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def _file(self) -> None:
                faults, whole = server.faults, server.bundle
                if faults.redirects:
                    return self._send(302, b"", Location=faults.redirects.pop(0))
                if faults.status:
                    return self._send(faults.status, b"")
                if faults.wrong_bytes:
                    whole = b"x" * len(whole)
                start = 0
                if (told := self.headers.get("Range")) and not faults.ignore_range:
                    start = int(told.removeprefix("bytes=").removesuffix("-"))
                body = whole[start:]
                self.send_response(206 if start else 200)
                if start:
                    default = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
                    self.send_header("Content-Range", faults.content_range or default)
                if faults.encoding:
                    self.send_header("Content-Encoding", faults.encoding)
                if faults.chunked:
                    self.send_header("Connection", "close")
                else:
                    self.send_header("Content-Length", str(len(body) if faults.length is None else faults.length))
                self.end_headers()
                if faults.cut_after is not None and faults.cuts:
                    faults.cuts -= 1
                    self.wfile.write(body[: faults.cut_after])
                    self.close_connection = True
                    return None
                self.wfile.write(body)
                if faults.chunked:
                    self.wfile.write(b"and more, for ever" * 1000)
                    self.close_connection = True
                return None

        return Handler


def partial(folder: Path) -> list[int]:
    """The sizes of the bundles that are kept."""
    return [path.stat().st_size for path in folder.glob("*.raucb")]
