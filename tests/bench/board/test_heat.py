"""Temperature, frequency and throttling on a simulated board."""

import time
from pathlib import Path

import pytest

from mien.bench.board.heat import NO_POWER, NO_ZONE, HeatLog
from rigs.boards import PiRoot

THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


@pytest.fixture
def pi(tmp_path: Path) -> PiRoot:
    return PiRoot(tmp_path)


def test_start_highest_end_and_what_was_seen_in_between(pi: PiRoot) -> None:
    with HeatLog(pi.root, every_s=3600) as log:
        pi.put("sys/class/thermal/thermal_zone0/temp", "81500\n")
        pi.put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "600000\n")
        pi.put(THROTTLED, "4\n")
        log.sample()
        pi.put("sys/class/thermal/thermal_zone0/temp", "60000\n")
        pi.put(THROTTLED, "40000\n")
    heat = log.heat()
    assert (heat.start_c.value, heat.highest_c.value, heat.end_c.value) == (48.3, 81.5, 60.0)
    assert (heat.lowest_mhz.value, heat.highest_mhz.value) == (600.0, 1500.0)
    assert heat.throttling.during == ("throttled",)
    assert heat.throttling.since_boot == ("throttled",)
    assert heat.throttling.source == "get_throttled"


def test_it_watches_by_itself(pi: PiRoot) -> None:
    with HeatLog(pi.root, every_s=0.01) as log:
        pi.put("sys/class/thermal/thermal_zone0/temp", "90000\n")
        until_s = time.monotonic() + 10
        while log.heat().highest_c.value != 90.0 and time.monotonic() < until_s:
            time.sleep(0.01)
        pi.put("sys/class/thermal/thermal_zone0/temp", "50000\n")
    assert log.heat().highest_c.value == 90.0


def test_without_sensors_there_are_reasons(tmp_path: Path) -> None:
    with HeatLog(tmp_path, every_s=3600) as log:
        pass
    heat = log.heat()
    assert (heat.highest_c.value, heat.highest_c.reason) == (None, NO_ZONE)
    assert heat.lowest_mhz.value is None
    assert (heat.throttling.during, heat.throttling.reason) == (None, NO_POWER)


def test_a_board_without_a_warning_has_none_and_not_null(pi: PiRoot) -> None:
    with HeatLog(pi.root, every_s=3600) as log:
        pass
    assert (log.heat().throttling.during, log.heat().throttling.since_boot) == ((), ())


def test_debians_kernel_reports_the_voltage_only(pi: PiRoot) -> None:
    pi.remove(THROTTLED)
    pi.put("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    pi.put("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    with HeatLog(pi.root, every_s=3600) as log:
        pass
    assert log.heat().throttling.since_boot == ("under-voltage",)
    assert log.heat().throttling.source == "rpi_volt"


def test_vcgencmd_is_never_started(pi: PiRoot) -> None:
    pi.remove(THROTTLED)
    pi.put("usr/bin/vcgencmd", f"#!/bin/sh\ntouch {pi.root}/started\necho throttled=0x1\n")
    (pi.root / "usr/bin/vcgencmd").chmod(0o755)
    with HeatLog(pi.root, every_s=3600) as log:
        pass
    assert log.heat().throttling.during is None
    assert not (pi.root / "started").exists()
