"""goosebit, a real server of hawkBit's DDI, in an environment of its own and on a free port."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any


class Goosebit:
    """A server with an empty database. device: as its own API tells it."""

    def __init__(self, python: Path, folder: Path, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = folder / "goosebit.log"
        package = subprocess.run(
            [python, "-c", "import importlib.util as u; print(u.find_spec('goosebit').submodule_search_locations[0])"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        (folder / "pyproject.toml").write_text(
            '[tool.aerich]\ntortoise_orm = "goosebit.db.config.TORTOISE_CONF"\n'
            f'location = "{package}/db/migrations"\nsrc_folder = "./."\n'
        )
        settings = {
            "GOOSEBIT_PORT": str(port),
            "GOOSEBIT_DB_URI": f"sqlite:///{folder}/db.sqlite3",
            "GOOSEBIT_ARTIFACTS_DIR": str(folder / "artifacts"),
            "GOOSEBIT_POLL_TIME": "00:00:30",
            **environment,
        }
        run = {"cwd": folder, "env": {**os.environ, **settings}}
        subprocess.run([python.parent / "aerich", "upgrade"], capture_output=True, check=True, timeout=60, **run)  # type: ignore[call-overload]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([python, "-m", "goosebit"], stdout=log, stderr=log, **run)  # type: ignore[call-overload]
        self._token = ""
        self._await()
        form = urllib.parse.urlencode({"username": "a@b.c", "password": "pw"}).encode()
        self._token = json.load(urllib.request.urlopen(f"{self.url}/setup", form, timeout=20))["access_token"]

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def device(self, identity: str) -> dict[str, Any]:
        [found] = [each for each in self.ask("GET", "devices")["devices"] if each["id"] == identity]
        return dict(found)

    def last_log(self, identity: str) -> str:
        """What the device told of its last update."""
        return str(self.ask("GET", f"devices/{identity}/log")["log"])

    def put(self, identity: str, **values: Any) -> None:
        """Assign software, pin, force, set a token."""
        self.ask("PUT", "devices", {"devices": [identity], **values})

    def upload(self, bundle: Path) -> str:
        """Returns the software's number."""
        head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{bundle.name}"\r\n\r\n'
        body = head.encode() + bundle.read_bytes() + b"\r\n--x--\r\n"
        return str(self.ask("PUT", "software", body, "multipart/form-data; boundary=x")["id"])

    def link(self, url: str) -> str:
        """Software that lies elsewhere. Returns its number."""
        body = urllib.parse.urlencode({"url": url}).encode()
        return str(self.ask("PUT", "software", body, "application/x-www-form-urlencoded")["id"])

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data, headers, method=method)
        return json.load(urllib.request.urlopen(request, timeout=20))

    def _await(self) -> None:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/docs", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        raise RuntimeError(f"goosebit does not start: {self.log[-2000:]}")
