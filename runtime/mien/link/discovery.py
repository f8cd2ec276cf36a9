"""Home Assistant's discovery of a board: one retained message in the device form, which it reads from 2024.11 on."""

from typing import Any, Final

import msgspec

from mien.fleet.topics import DISCOVERY_PREFIX, Board
from mien.link.facts import Facts

_ONLINE: Final = "{{ 'online' if value_json.online else 'offline' }}"


def discovery_topic(place: Board) -> str:
    """Where it is published."""
    return f"{DISCOVERY_PREFIX}/device/{_id(place)}/config"


def discovery(place: Board, facts: Facts) -> bytes:
    """The payload: the device, and one component for each thing that a house wants to see."""
    status, health = place.topic("status"), place.topic("health")
    document = {
        "device": {
            "identifiers": [_id(place)],
            "name": f"mien {place.name}",
            "manufacturer": "mien",
            "model": facts.model or "mien",
            "sw_version": facts.version,
            "suggested_area": place.site,
        },
        "origin": {"name": "mien-link", "sw_version": facts.version},
        "availability": [{"topic": status, "value_template": _ONLINE}],
        "components": {
            "level": _sensor(place, "level", "Level", status, icon="mdi:face-agent"),
            "phase": _sensor(place, "phase", "Speech", status, icon="mdi:account-voice"),
            "ear": _sensor(place, "ear", "Microphone", status, icon="mdi:microphone"),
            "screen": _sensor(place, "screen", "Screen", status, icon="mdi:monitor"),
            "visit": _binary(place, "visit", "Visitor", status, "visit", "occupancy"),
            "call": _binary(place, "call", "Call for a person", status, "call", None),
            "temperature": _sensor(
                place,
                "temperature_c",
                "Temperature",
                health,
                device_class="temperature",
                unit_of_measurement="°C",
                state_class="measurement",
            ),
            "fps": _sensor(place, "fps", "Frames a second", health, state_class="measurement", icon="mdi:speedometer"),
            "offset": _sensor(
                place, "offset_median_ms", "A/V offset", health, unit_of_measurement="ms", state_class="measurement"
            ),
            "disk": _sensor(
                place,
                "disk_free_mb",
                "Free disk",
                health,
                device_class="data_size",
                unit_of_measurement="MB",
                state_class="measurement",
            ),
        },
    }
    return msgspec.json.encode(document)


def _sensor(place: Board, key: str, name: str, topic: str, **more: str) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "unique_id": f"{_id(place)}_{key}",
        "name": name,
        "state_topic": topic,
        "value_template": f"{{{{ value_json.{key} }}}}",
        **more,
    }


def _binary(place: Board, key: str, name: str, topic: str, field: str, device_class: str | None) -> dict[str, Any]:
    return {
        "platform": "binary_sensor",
        "unique_id": f"{_id(place)}_{key}",
        "name": name,
        "state_topic": topic,
        "value_template": f"{{{{ 'ON' if value_json.{field} else 'OFF' }}}}",
        **({"device_class": device_class} if device_class else {}),
    }


def _id(place: Board) -> str:
    return f"mien_{place.site}_{place.name}"
