#!/usr/bin/env python3
"""Makes mqtt-exporter.yaml and grafana-dashboard.json from the table of metrics."""

import json
from pathlib import Path
from typing import Any, Final

from mien.fleet.topics import ROOT
from mien.link.metrics.fields import FIELDS, Field

HERE: Final = Path(__file__).resolve().parent
EXPORTER_HEAD: Final = """\
# prometheus-mqtt-exporter (Debian's package, 0.1.7): metrics of boards that nobody can scrape, from what they publish.
# Made by monitoring/build.py. Copy to /etc/prometheus/mqtt-exporter.yaml and set server, user and certificates.
# The label `sensor` is SITE/BOARD/TOPIC: prometheus.yml splits it into site and board.
mqtt:
  server: ssl://BROKER:8883
  ca_cert: /etc/prometheus/mien/ca.crt
  client_cert: /etc/prometheus/mien/exporter.crt
  client_key: /etc/prometheus/mien/exporter.key
  client_id: mien-exporter
  topic_path: {root}/+/+/+
  device_id_regex: "{root}/(?P<deviceid>.+)"
  qos: 0
cache:
  timeout: -1ns # status is told on change only: what was told stays. Health is stale after five minutes by its time
json_parsing:
  separator: .
metrics:
"""


def exporter() -> str:
    """The exporter's configuration. Texts are quoted as JSON, which is YAML."""
    return EXPORTER_HEAD.format(root=ROOT) + "".join(map(_exported, FIELDS))


def _exported(field: Field) -> str:
    lines = [
        f"- prom_name: {field.metric}",
        f"  mqtt_name: {field.path}",
        f"  help: {json.dumps(field.help)}",
        f"  type: {field.kind}",
        f'  sensor_name_filter: "^[^/]+/[^/]+/{field.topic}$"',
    ]
    if field.topic == "status":
        lines.append("  omit_timestamp: true")
    if field.scale != 1.0:
        lines.append(f"  mqtt_value_scale: {field.scale:.10g}".replace("e+06", "000000"))
    if field.labels:
        lines.append("  const_labels:")
        lines += [f"    {name}: {json.dumps(value)}" for name, value in field.labels.items()]
    if field.values is not None:
        lines.append("  string_value_mapping:")
        lines.append("    map:")
        lines += [f"      {json.dumps(text)}: {number:g}" for text, number in field.values.items()]
        lines.append(f"    error_value: {field.otherwise:g}")
    return "\n".join(lines) + "\n"


def _target(query: str, legend: str = "{{site}}/{{board}}") -> dict[str, Any]:
    return {"expr": query, "legendFormat": legend, "refId": "A"}


def _panel(title: str, query: str, unit: str, legend: str = "{{site}}/{{board}}", **more: Any) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "targets": [_target(query, legend)],
        "fieldConfig": {"defaults": {"unit": unit, **more}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }


def _stat(title: str, query: str, unit: str = "short", red_from: float | None = 1) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if red_from is not None:
        steps.append({"color": "red", "value": red_from})
    return {
        "type": "stat",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "targets": [_target(query, "")],
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background"},
    }


_AT: Final = '{site=~"$site", board=~"$board"}'
_AT95: Final = '{site=~"$site", board=~"$board", percentile="95"}'
STATS: Final = (
    _stat("Boards online", f"sum(mien_online{_AT})", red_from=None),
    _stat("Offline", f"count(mien_online{_AT} == 0) or vector(0)"),
    _stat("Without a face", f"count(mien_level{_AT} == 2 and on (site, board) mien_online == 1) or vector(0)"),
    _stat("Without a voice", f"count(mien_level{_AT} <= 1 and on (site, board) mien_online == 1) or vector(0)"),
    _stat("Updates that failed", f"sum(mien_update_failed{_AT}) or vector(0)"),
    _stat("Turns in an hour", f"sum(increase(mien_turns_total{_AT}[1h]))", red_from=None),
)
PANELS: Final = (
    _panel("Level (4 full, 3 envelope, 2 audio only, 1 silent, 0 no voice)", f"mien_level{_AT}", "short", min=0, max=4),
    _panel("Request to first sound, 95 % below", f"mien:turn_latency_seconds:p95_15m{_AT}", "s", min=0),
    _panel("Lips minus sound", f"mien_av_offset_seconds{_AT95}", "s"),
    _panel("Frames a second", f"mien_face_frames_per_second{_AT}", "short", min=0),
    _panel("Turns a minute", f"60 * mien:turns:rate5m{_AT}", "short", min=0),
    _panel(
        "Visits an hour, by how they ended",
        f"sum by (reason) (increase(mien_visits_total{_AT}[1h]))",
        "short",
        "{{reason}}",
        min=0,
    ),
    _panel("Stalls an hour", f"sum by (site, board) (increase(mien_stalls_total{_AT}[1h]))", "short", min=0),
    _panel("Speech heard, share of the time", f"rate(mien_heard_seconds_total{_AT}[15m])", "percentunit", min=0),
    _panel("Temperature", f"mien_temperature_celsius{_AT}", "celsius"),
    _panel("Memory", f"mien_memory_bytes{_AT}", "bytes", "{{site}}/{{board}} {{process}}", min=0),
    _panel("Data partition, used", f"mien_disk_used_ratio{_AT}", "percentunit", min=0, max=1),
    _panel("Echo removed", f"mien_echo_removed_decibels{_AT}", "dB", min=0),
    _panel("Microphone (1 ok, 2 muted, 4 or 7 hears itself)", f"mien_ear_state{_AT}", "short", min=-1, max=7),
    _panel("Events that wait for the broker", f"mien_events_queued{_AT}", "short", min=0),
    _panel("Connections anew, an hour", f"increase(mien_broker_reconnects_total{_AT}[1h])", "short", min=0),
    _panel(
        "Commands an hour, by result",
        f"sum by (result) (increase(mien_commands_total{_AT}[1h]))",
        "short",
        "{{result}}",
    ),
)


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def dashboard() -> str:
    """Grafana's model of a dashboard (schema 36, Grafana 9 or newer)."""
    panels: list[dict[str, Any]] = []
    for number, stat in enumerate(STATS):
        panels.append({**stat, "gridPos": {"x": 4 * number, "y": 0, "w": 4, "h": 4}})
    for number, panel in enumerate(PANELS):
        panels.append({**panel, "gridPos": {"x": 12 * (number % 2), "y": 4 + 8 * (number // 2), "w": 12, "h": 8}})
    model = {
        "title": "mien fleet",
        "uid": "mien-fleet",
        "schemaVersion": 36,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "tags": ["mien"],
        "templating": {
            "list": [
                {"type": "datasource", "name": "datasource", "query": "prometheus", "label": "Prometheus"},
                _variable("site", "label_values(mien_online, site)"),
                _variable("board", 'label_values(mien_online{site=~"$site"}, board)'),
            ]
        },
        "panels": [{"id": number + 1, **panel} for number, panel in enumerate(panels)],
    }
    return json.dumps(model, indent=1) + "\n"


MADE: Final = {"mqtt-exporter.yaml": exporter, "grafana-dashboard.json": dashboard}


def main() -> None:
    """Write what has changed."""
    for name, make in MADE.items():
        (HERE / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
