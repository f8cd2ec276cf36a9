"""Boards for tests: a simulated Pi in a folder, a complete report."""

import datetime
from pathlib import Path
from typing import Any

import msgspec

from mien.bench.board.report import BoardReport

SERIAL, MACHINE_ID, ADDRESS = "10000000deadbeef", "0123456789abcdef0123456789abcdef", "dc:a6:32:01:02:03"


class PiRoot:
    """A Pi 4's /proc, /sys and /etc in a folder; each test changes what it is about."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.put("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
        self.put("proc/device-tree/compatible", "raspberrypi,4-model-b\0brcm,bcm2711\0")
        self.put("proc/device-tree/serial-number", f"{SERIAL}\0")
        self.put("proc/device-tree/cpus/cpu@0/compatible", "arm,cortex-a72\0")
        self.put("proc/cpuinfo", f"processor\t: 0\nSerial\t\t: {SERIAL}\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n")
        self.put("proc/meminfo", "MemTotal:        3885396 kB\nMemFree: 1 kB\n")
        self.put("proc/asound/cards", " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n")
        self.put("etc/os-release", 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
        self.put("etc/hostname", "lobby-kiosk-7\n")
        self.put("etc/machine-id", f"{MACHINE_ID}\n")
        self.put("sys/class/net/eth0/address", f"{ADDRESS}\n")
        self.put("sys/class/drm/card1-HDMI-A-1/status", "connected\n")
        self.put("sys/class/drm/card1-HDMI-A-1/modes", "1280x720\n720x480\n")
        self.put("sys/class/thermal/thermal_zone0/temp", "48312\n")
        self.put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1500000\n")
        self.put("sys/devices/platform/soc/soc:firmware/get_throttled", "0\n")

    def put(self, name: str, text: str) -> None:
        """Write a file of the board."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def remove(self, name: str) -> None:
        """Remove a file of the board."""
        (self.root / name).unlink()


def spread(p95: float | None, reason: str = "") -> dict[str, Any]:
    """Percentiles around p95."""
    if p95 is None:
        return {"p50": None, "p95": None, "p99": None, "samples": 0, "reason": reason}
    return {"p50": p95 / 2, "p95": p95, "p99": p95 + 1, "samples": 9}


def fields(**changes: Any) -> dict[str, Any]:
    """The fields of a complete report of a Pi, with changes to the top level."""
    use = {"cpu_percent": {"value": 21.5}, "pss_mb": {"value": 40.2}, "rss_mb": {"value": 55.0}}
    frames = [
        {"width": width, "height": height, "device": {"value": "V3D 4.2"}, "drawn_ms": spread(height / 100)}
        for width, height in ((360, 640), (720, 1280))
    ]
    return {
        "schema": 1,
        "name": "raspberry-pi-4",
        "kind": "board",
        "note": "",
        "date": datetime.date(2026, 11, 30).isoformat(),
        "minutes": 10.0,
        "took_s": 612.0,
        "facts": {
            "model": {"value": "Raspberry Pi 4 Model B Rev 1.4"},
            "processor": {"value": "arm,cortex-a72"},
            "cores": 4,
            "memory_mb": {"value": 3978.0},
            "architecture": "aarch64",
            "kernel": "6.1.0-25-arm64",
            "distribution": {"value": "Debian GNU/Linux 12 (bookworm)"},
            "python": "3.11.2",
            "interpreter": {"value": "tflite-runtime 2.14.0"},
            "gl_renderer": {"value": "V3D 4.2, OpenGL ES 3.1 Mesa 22.3.6"},
            "screen": {"value": "HDMI-A-1 1280x720"},
            "sound_card": {"value": "0 vc4hdmi0: vc4-hdmi-0"},
            "sink": "alsa",
            "load_before": 0.2,
            "mien": "0.2.0",
            "commit": {"value": None, "reason": "installed from a package, which names no commit"},
            "settings": ["face.width = 0", "face.height = 0"],
        },
        "latency": {
            "first_sound_burst_ms": spread(52.0),
            "first_sound_stream_ms": spread(140.0),
            "first_motion_burst_ms": spread(80.0),
            "first_motion_stream_ms": spread(170.0),
            "barge_in_sound_ms": spread(31.0),
            "barge_in_lips_ms": spread(90.0),
            "underruns": {"value": 0},
        },
        "offset": {"median_ms": {"value": 1.5}, "absolute_ms": spread(9.0)},
        "frames": frames,
        "on_screen": {
            "size": {"value": "1280x720, vsync"},
            "interval_ms": spread(17.0),
            "missed_percent": {"value": 0.4},
        },
        "services": [{"name": name, "idle": use, "talking": use} for name in ("voice", "face")],
        "heat": {
            "start_c": {"value": 48.3},
            "highest_c": {"value": 71.0},
            "end_c": {"value": 70.1},
            "lowest_mhz": {"value": 600.0},
            "highest_mhz": {"value": 1500.0},
            "throttling": {"during": ["throttled"], "since_boot": ["throttled"], "source": "get_throttled"},
        },
        "loaded": {"processes": 4, "first_sound_burst_ms": spread(74.0)},
        **changes,
    }


def report(**changes: Any) -> BoardReport:
    """A complete, valid report."""
    return msgspec.convert(fields(**changes), BoardReport)
