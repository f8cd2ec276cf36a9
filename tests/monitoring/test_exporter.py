"""A board on a real broker, through Debian's prometheus-mqtt-exporter, into a real Prometheus with our rules."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import pytest

from mien.bench.link_broker import free_port
from mien.fleet.status import Health, Status, will
from mien.fleet.topics import Board

FOLDER = Path(__file__).resolve().parents[2] / "monitoring"
BOARD = Board("lab", "k7")


def eventually(found: Callable[[], Any], wanted: Any, within_s: float = 40.0) -> None:
    """Wait until found() is wanted. A process that is not up yet is no answer."""
    deadline_s, last = time.monotonic() + within_s, None
    while time.monotonic() < deadline_s:
        try:
            last = found()
        except (urllib.error.URLError, ConnectionError):
            last = None
        if last == wanted:
            return
        time.sleep(0.2)
    assert last == wanted


class Monitor:
    """Broker, exporter, Prometheus: on free ports of this machine, with the shipped files."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.broker, self.exporter, self.prometheus = free_port(), free_port(), free_port()
        broker = folder / "mosquitto.conf"
        broker.write_text(f"listener {self.broker} 127.0.0.1\nallow_anonymous true\n")
        exporter = folder / "exporter.yaml"
        text = (FOLDER / "mqtt-exporter.yaml").read_text()
        text = re.sub(r"server: .*", f"server: tcp://127.0.0.1:{self.broker}", text)
        exporter.write_text(re.sub(r"  (ca_cert|client_cert|client_key): .*\n", "", text))
        scrape = (FOLDER / "prometheus.yml").read_text().replace(":9641", f":{self.exporter}")
        scrape = scrape.replace("scrape_interval: 15s", "scrape_interval: 1s\n  evaluation_interval: 1s")
        rules = re.sub(r"    for: \w+\n", "", (FOLDER / "mien.rules.yml").read_text())
        (folder / "prometheus.yml").write_text(scrape)
        (folder / "mien.rules.yml").write_text(rules)
        for number, command in enumerate(
            (
                ["mosquitto", "-c", broker],
                [
                    "prometheus-mqtt-exporter",
                    "-config",
                    exporter,
                    "-listen-address",
                    "127.0.0.1",
                    "-listen-port",
                    self.exporter,
                ],
                [
                    "prometheus",
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{self.prometheus}",
                ],
            )
        ):
            log = stack.enter_context((folder / f"{number}.log").open("wb"))
            process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
        eventually(lambda: "mqtt2prometheus_connected 1" in self.exported(), True)
        self.board = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.board.connect("127.0.0.1", self.broker)
        self.board.loop_start()
        stack.callback(self.board.loop_stop)

    def exported(self) -> str:
        return urllib.request.urlopen(f"http://127.0.0.1:{self.exporter}/metrics", timeout=5).read().decode()

    def tell(self, topic: str, payload: bytes) -> None:
        self.board.publish(BOARD.topic(topic), payload, 1, retain=True).wait_for_publish(10)

    def query(self, text: str) -> dict[tuple[str, ...], float]:
        """Values by their labels' values, but for job and instance."""
        ask = urllib.parse.urlencode({"query": text})
        answer = json.load(urllib.request.urlopen(f"http://127.0.0.1:{self.prometheus}/api/v1/query?{ask}", timeout=5))
        return {
            tuple(v for k, v in sorted(each["metric"].items()) if k not in ("__name__", "job", "instance")): float(
                each["value"][1]
            )
            for each in answer["data"]["result"]
        }


@pytest.fixture(scope="module")
def monitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitor]:
    with ExitStack() as stack:
        yield Monitor(tmp_path_factory.mktemp("monitor"), stack)


def test_a_board_that_only_publishes_is_seen_and_alerts(monitor: Monitor) -> None:
    status = Status(online=True, site="lab", board="k7", level="audio_only", ear="ok", screen="on", volume=0.5)
    monitor.tell("status", msgspec.json.encode(status))
    health = Health(
        fps=30.0,
        offset_median_ms=-12.5,
        voice_mb=61.5,
        link_mb=40.0,
        temperature_c=51.0,
        latency_p95_ms=1800.0,
        clock_synchronized=True,
        turns=7,
        throttled=("soft",),
        sound="open",
    )
    monitor.tell("health", msgspec.json.encode(health))
    monitor.tell("event", b'{"type": "level", "level": "full", "queue": "q", "seq": 1}')  # is no status
    monitor.tell("event", b"\xff no json")
    eventually(lambda: monitor.query("mien_level"), {("k7", "lab"): 2.0})
    assert monitor.query("mien_online") == {("k7", "lab"): 1.0}
    assert monitor.query("mien_av_offset_seconds") == {("k7", "50", "lab"): -0.0125}
    assert monitor.query("mien_memory_bytes") == {
        ("k7", "voice", "lab"): 61_500_000.0,
        ("k7", "link", "lab"): 40_000_000.0,
    }
    assert monitor.query("mien_turns_total") == {("k7", "lab"): 7.0}
    assert monitor.query("mien_ear_state") == {("k7", "lab"): 1.0}
    firing = 'count by (alertname) (ALERTS{alertstate="firing"})'
    eventually(lambda: set(monitor.query(firing)), {("MienNoFace",), ("MienSlowAnswers",)})


def test_the_will_makes_it_offline_and_quiets_the_rest(monitor: Monitor) -> None:
    monitor.tell("status", will())
    eventually(lambda: monitor.query("mien_online"), {("k7", "lab"): 0.0})
    firing = 'count by (alertname) (ALERTS{alertstate="firing", alertname=~"MienOffline|MienNo.*"})'
    eventually(lambda: set(monitor.query(firing)), {("MienOffline",)})


def test_garbage_does_not_stop_the_exporter(monitor: Monitor) -> None:
    for payload in (b"", b"[]", b"null", b'{"fps": "many"}', b'{"fps": 1e999}', b"{" * 5000):
        monitor.tell("health", payload)
    monitor.tell("health", msgspec.json.encode(Health(fps=25.0)))
    eventually(lambda: monitor.query("mien_face_frames_per_second"), {("k7", "lab"): 25.0})
