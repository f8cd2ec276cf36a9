"""What an operator sees of a fleet: who is online, which events are missing, how late everything is."""

import contextlib
import json
import random
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from mien.errors import FleetError
from mien.fleet.topics import ROOT, parse_report

CONNECT_S: Final = 20.0


class Sequences:
    """Which events of each board and queue have come. Pure."""

    def __init__(self) -> None:
        self.count = self.repeated = 0
        self._seen: dict[tuple[str, str], set[int]] = {}

    def take(self, board: str, queue: str, seq: int) -> bool:
        """Note one. Returns whether it is new."""
        seen = self._seen.setdefault((board, queue), set())
        if seq in seen:
            self.repeated += 1
            return False
        seen.add(seq)
        self.count += 1
        return True

    @property
    def missing(self) -> int:
        """How many numbers below the highest of their queue have not come."""
        return sum(max(seen) - min(seen) + 1 - len(seen) for seen in self._seen.values())


class Probe:
    """An operator who sees all boards. `report` is safe to read at any time."""

    def __init__(self, port: int, ca: Path, user: str, password: str) -> None:
        self.sequences = Sequences()
        self.online: dict[str, bool] = {}
        self.health_count = self.pose_bytes = self.sound_bytes = 0
        self.late_s: list[float] = []
        self.answered_s: list[float] = []
        self.refused = 0
        self._user = user
        self._asked: dict[str, float] = {}
        self._lock = threading.Lock()
        self._port = port
        # A session that outlives the connection: what happens while the probe is away comes afterwards.
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, f"{user}-probe", False, transport="websockets", protocol=mqtt.MQTTv311
        )
        self._client.tls_set_context(ssl.create_default_context(cafile=str(ca)))
        self._client.username_pw_set(user, password)
        self._client.reconnect_delay_set(1, 5)
        self._client.on_connect = self._subscribe
        self._client.on_message = self._take

    def start(self) -> None:
        """Sign in. Raises OSError."""
        self._client.connect("127.0.0.1", self._port, 30)
        self._client.loop_start()
        _wait(self._client.is_connected)

    def stop(self) -> None:
        """Sign out."""
        self._client.disconnect()
        self._client.loop_stop()

    def ping(self, chance: random.Random) -> None:
        """Ask a random board that is online whether it is there."""
        with self._lock:
            there = [name for name, online in self.online.items() if online]
        if not there:
            return
        name, at = secrets.token_hex(8), time.time()
        with self._lock:
            self._asked[name] = at
        payload = json.dumps({"command": "ping", "id": name, "at": at})
        self._client.publish(f"{ROOT}/{chance.choice(there)}/command/observer/{self._user}", payload, qos=1)

    def watch(self, board: str) -> None:
        """Ask a board for poses and sound, for 20 s."""
        payload = json.dumps({"streams": ["pose", "heard"], "for_s": 20})
        self._client.publish(f"{ROOT}/{board}/watch/{self._user}", payload, qos=1)

    def command(self, board: str, payload: bytes) -> None:
        """Give an agent's command."""
        self._client.publish(f"{ROOT}/{board}/command/agent/{self._user}", payload, qos=1)

    def speech(self, board: str, payload: bytes) -> None:
        """Speak through a board."""
        self._client.publish(f"{ROOT}/{board}/speech/{self._user}", payload)

    def unanswered(self, after_s: float) -> int:
        """Commands whose answer has not come after so long."""
        with self._lock:
            return sum(time.time() - at > after_s for at in self._asked.values())

    @property
    def online_count(self) -> int:
        """How many boards the broker holds to be there."""
        with self._lock:
            return sum(self.online.values())

    def _subscribe(self, client: mqtt.Client, _: Any, __: Any, ___: Any, ____: Any) -> None:
        below = f"{ROOT}/+/+"
        topics = [("status", 1), ("event", 1), ("health", 0), ("live/#", 0), (f"answer/{self._user}", 1)]
        client.subscribe([(f"{below}/{rest}", qos) for rest, qos in topics])

    def _take(self, _: Any, __: Any, message: mqtt.MQTTMessage) -> None:
        now_s = time.time()
        with contextlib.suppress(FleetError), self._lock:
            place, rest = parse_report(message.topic)
            self._apply(place.user, rest, message, now_s)

    def _apply(self, board: str, rest: str, message: mqtt.MQTTMessage, now_s: float) -> None:
        if rest == "status":
            self.online[board] = json.loads(message.payload)["online"]
        elif rest == "event":
            told = json.loads(message.payload)
            if self.sequences.take(board, told["queue"], told["seq"]):
                self.late_s.append(now_s - told["at"])
        elif rest == "health":
            self.health_count += not message.retain
        elif rest == "live/pose":
            self.pose_bytes += len(message.payload)
        elif rest == "live/heard":
            self.sound_bytes += len(message.payload)
        else:
            told = json.loads(message.payload)
            self.refused += told["state"] != "done"
            if (at := self._asked.pop(told["id"], None)) is not None:
                self.answered_s.append(now_s - at)


def _wait(met: Callable[[], bool]) -> None:
    until_s = time.monotonic() + CONNECT_S
    while not met():
        if time.monotonic() > until_s:
            raise TimeoutError(f"the broker does not answer within {CONNECT_S:g} s")
        time.sleep(0.02)
