"""The files for operators: made from the table of metrics, and naming nothing that no board tells."""

import json
import re
from pathlib import Path

import pytest

from mien.link.metrics.fields import FIELDS
from mien.link.metrics.metrics import COUNTED, OTHERS
from monitoring.build import MADE

FOLDER = Path(__file__).resolve().parents[2] / "monitoring"
RULES = (FOLDER / "mien.rules.yml").read_text()
RECORDED = set(re.findall(r"record: (\S+)", RULES))
TOLD = {field.metric for field in FIELDS} | {name for name, _, _ in COUNTED} | set(OTHERS)
SUFFIXES = ("_bucket", "_count", "_sum")


def metrics_of(text: str) -> set[str]:
    """The names of mien's metrics in a text."""
    return set(re.findall(r"(?<![\w$\"-])mien[_:][a-z0-9_:]+", text))


@pytest.mark.parametrize("name", MADE)
def test_the_made_files_are_current(name: str) -> None:
    assert (FOLDER / name).read_text() == MADE[name](), "run monitoring/build.py"


def queries(dashboard: dict[str, object]) -> list[str]:
    """Every query of the dashboard."""
    panels = dashboard["panels"]
    assert isinstance(panels, list)
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize(
    "file", ["mien.rules.yml", "mien.rules.test.yml", "grafana-dashboard.json", "mqtt-exporter.yaml"]
)
def test_every_metric_that_is_named_is_told(file: str) -> None:
    named = metrics_of((FOLDER / file).read_text())
    assert named
    told = TOLD | RECORDED | {name + suffix for name in OTHERS for suffix in SUFFIXES}
    assert not named - told


def test_the_dashboard_is_one_that_grafana_imports() -> None:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    assert {"title", "uid", "schemaVersion", "panels", "templating"} <= dashboard.keys()
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [(x, y) for p in places for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
    assert len(cells) == len(set(cells)), "panels overlap"
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(metrics_of(query) for query in queries(dashboard))


def test_each_metric_comes_from_one_field_of_a_topic() -> None:
    """prometheus-mqtt-exporter 0.1.7 takes the first entry of a name in a message, and no other."""
    paths = [(field.topic, field.path) for field in FIELDS]
    assert len(paths) == len(set(paths))
