"""The shipped units under systemd's own linters, and against the program and the accounts that they name."""

import configparser
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mien.config import VoiceConfig
from mien.host.exits import Exit
from mien.host.realtime import PRIORITY
from mien.host.rundir import SYSTEM_RUN_DIR
from mien.link.board_control import SOCKET
from mien.link.config import SYSTEM_LINK_CONFIG

REPOSITORY = Path(__file__).resolve().parents[2]
SYSTEMD = REPOSITORY / "systemd"
SYSTEM_UNITS = Path("/usr/lib/systemd/system")
TARGET_SERVICES = ("mien-voice", "mien-face")
SERVICES = (*TARGET_SERVICES, "mien-ear")
USERS = (*SERVICES, "mien-link")
# systemd-analyze's scale, 0 (safe) to 10
EXPOSURE = {
    "mien-voice": 2.0,
    "mien-face": 1.5,
    "mien-ear": 1.5,
    "mien-failure@": 1.5,
    "mien-retry@": 1.0,
    "mien-converse": 1.0,
    "mien-link": 2.0,
    "mien-board-control@": 2.0,
}


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def directives(unit: str) -> dict[str, list[str]]:
    """Every directive of a unit with all its values, in order."""
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / unit).read_text().splitlines():
        if (match := re.match(r"([A-Za-z]+)=(.*)", line)) is not None:
            found.setdefault(match.group(1), []).append(match.group(2))
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root folder with systemd's own units, ours as install.sh puts them, and commands to be executed."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(SYSTEM_UNITS, root / "usr/lib/systemd/system", symlinks=True)
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/bin").mkdir()
    (root / "bin").symlink_to("usr/bin")
    for name in (*USERS, "mien", "mien-board-control", "systemctl"):
        (root / "usr/bin" / name).write_text("#!/bin/sh\n")
        (root / "usr/bin" / name).chmod(0o755)
    assert run("sh", str(SYSTEMD / "install.sh"), str(root)).returncode == 0
    return root


def verify(root: Path, *units: str) -> str:
    """What systemd-analyze has to say against units; nothing when all is well."""
    found = run("systemd-analyze", "verify", f"--root={root}", "--man=no", *units)
    return found.stderr + (f"exit status {found.returncode}" if found.returncode else "")


def test_systemd_accepts_every_unit(root: Path) -> None:
    units = (
        "mien.target",
        "mien-message.target",
        "mien-voice.service",
        "mien-face.service",
        "mien-ear.service",
        "mien-converse.service",
        "mien-link.service",
        "mien-board-control.socket",
        "mien-board-control@1.service",
        "mien-failure@mien-face.service",
        "mien-retry@mien-face.timer",
        "mien-retry@mien-face.service",
    )
    assert verify(root, *units) == ""


def test_verify_would_find_a_misspelt_key_and_a_missing_command(root: Path) -> None:
    unit = root / "usr/lib/systemd/system/broken.service"
    unit.write_text("[Service]\nExecStart=/usr/bin/absent\nRestarts=always\n")
    said = verify(root, "broken.service")
    unit.unlink()
    assert "Restarts" in said
    assert "/usr/bin/absent" in said


@pytest.mark.parametrize("service", EXPOSURE)
def test_exposure_stays_low(service: str) -> None:
    unit = SYSTEMD / f"{service}.service"
    limit = round(EXPOSURE[service] * 10)
    found = run("systemd-analyze", "security", "--offline=true", f"--threshold={limit}", "--no-pager", str(unit))
    assert found.returncode == 0, found.stdout[-400:]


def test_the_threshold_is_one_that_can_be_missed() -> None:
    found = run(
        "systemd-analyze",
        "security",
        "--offline=true",
        "--threshold=15",
        "--no-pager",
        str(SYSTEM_UNITS / "systemd-journald.service"),
    )
    assert found.returncode != 0


def test_sysusers_makes_the_users_that_the_units_run_as() -> None:
    said = run("systemd-sysusers", "--dry-run", str(SYSTEMD / "mien.sysusers.conf"))
    assert said.returncode == 0, said.stderr
    declared = set(re.findall(r"^u (\S+)", (SYSTEMD / "mien.sysusers.conf").read_text(), re.MULTILINE))
    assert {user for service in USERS for user in directives(f"{service}.service")["User"]} == declared


def test_each_service_has_a_user_of_its_own() -> None:
    users = [directives(f"{service}.service")["User"] for service in USERS]
    assert len(set(map(tuple, users))) == len(USERS)
    assert ["root"] not in users


def test_the_run_directory_is_the_one_that_the_program_looks_for() -> None:
    kind, path, mode, user, group, *_ = next(
        line for line in (SYSTEMD / "mien.tmpfiles.conf").read_text().splitlines() if not line.startswith("#")
    ).split()
    assert (kind, path, user, group) == ("d", str(SYSTEM_RUN_DIR), "root", "mien")
    assert int(mode, 8) & 0o007 == 0  # strangers have no way in; `ensure_run_dir` refuses one that everybody may write
    assert int(mode, 8) & 0o3070 == 0o3070
    for service in SERVICES:
        assert f"RUNTIME_DIRECTORY={SYSTEM_RUN_DIR}" in directives(f"{service}.service")["Environment"][0].split()
        assert directives(f"{service}.service")["ReadWritePaths"] == [str(SYSTEM_RUN_DIR)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may hand a folder to a group")
def test_tmpfiles_makes_it(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    (tmp_path / "etc/group").write_text("root:x:0:\nmien:x:995:\nmien-voice:x:994:\nmien-link:x:993:\n")
    made = run("systemd-tmpfiles", f"--root={tmp_path}", "--create", str(SYSTEMD / "mien.tmpfiles.conf"))
    assert made.returncode == 0, made.stderr
    for name, mode, group in (
        ("run/mien", 0o3770, 995),
        ("etc/mien/keys", 0o2750, 994),
        ("etc/mien/link", 0o2750, 993),
    ):
        found = (tmp_path / name).stat()
        assert (found.st_mode & 0o7777, found.st_uid, found.st_gid) == (mode, 0, group)


@pytest.mark.parametrize("service", SERVICES)
def test_a_refused_configuration_is_not_retried(service: str) -> None:
    unit = directives(f"{service}.service")
    assert unit["RestartPreventExitStatus"] == [str(Exit.CONFIG.value)]
    assert unit["Restart"] == ["always"]


@pytest.mark.parametrize("service", SERVICES)
def test_restarts_run_out_inside_the_interval_and_are_then_seen(service: str) -> None:
    unit = directives(f"{service}.service")
    restart_s = float(unit["RestartSec"][0].removesuffix("ms")) / 1000
    assert restart_s * int(unit["StartLimitBurst"][0]) < float(unit["StartLimitIntervalSec"][0])
    assert unit["OnFailure"] == ["mien-failure@%p.service"]


def test_what_gave_up_is_tried_again_after_a_minute_if_nobody_has() -> None:
    assert directives("mien-retry@.timer")["OnActiveSec"] == ["60"]
    retry = directives("mien-retry@.service")
    assert retry["ExecCondition"] == ["/usr/bin/systemctl --quiet is-failed %i.service"]
    assert retry["ExecStart"] == [
        "/usr/bin/systemctl reset-failed %i.service",
        "/usr/bin/systemctl --no-block start %i.service",
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_a_hang_is_seen_and_a_stop_is_quick(service: str) -> None:
    unit = directives(f"{service}.service")
    assert unit["Type"] == ["notify"]
    assert 0 < float(unit["WatchdogSec"][0]) <= 15
    assert float(unit["TimeoutStopSec"][0]) <= 1


def test_the_face_goes_before_the_voice() -> None:
    voice, face = (directives(f"{service}.service") for service in TARGET_SERVICES)
    assert int(face["OOMScoreAdjust"][0]) > 0 > int(voice["OOMScoreAdjust"][0])
    assert int(voice["CPUWeight"][0]) > int(face["CPUWeight"][0])


def test_the_voice_alone_may_be_real_time_and_not_without_end() -> None:
    voice, face = (directives(f"{service}.service") for service in TARGET_SERVICES)
    assert voice["LimitRTPRIO"] == [str(PRIORITY)]
    soft_s, hard_s = (float(text.removesuffix("s")) for text in voice["LimitRTTIME"][0].split(":"))
    assert 0 < soft_s < hard_s < float(voice["WatchdogSec"][0])
    assert "RestrictRealtime" not in voice
    assert face["RestrictRealtime"] == ["yes"]


def test_the_face_has_no_network_and_the_voice_no_screen() -> None:
    voice, face = (directives(f"{service}.service") for service in TARGET_SERVICES)
    assert face["PrivateNetwork"] == ["yes"]
    # Without netlink Debian 13's SDL crashes when it opens the screen; with a namespace of its own it reaches nothing.
    assert face["RestrictAddressFamilies"] == ["AF_UNIX AF_NETLINK"]
    assert face["DeviceAllow"] == ["char-drm rw"]
    assert voice["DeviceAllow"] == ["char-alsa rw"]
    assert voice["DevicePolicy"] == face["DevicePolicy"] == ["closed"]


def test_the_ear_is_there_only_where_somebody_enables_it() -> None:
    ear = directives("mien-ear.service")
    assert ear["WantedBy"] == ["mien.target"]
    assert "mien-ear.service" not in (SYSTEMD / "mien.target").read_text()


def test_the_ear_has_the_sound_card_alone_and_no_network() -> None:
    ear = directives("mien-ear.service")
    assert ear["PrivateNetwork"] == ["yes"]
    assert ear["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert (ear["DevicePolicy"], ear["DeviceAllow"]) == (["closed"], ["char-alsa rw"])
    assert ear["RestrictRealtime"] == ["yes"]


def test_the_voice_agent_is_there_only_where_somebody_enables_it_and_has_no_network() -> None:
    agent = directives("mien-converse.service")
    assert agent["WantedBy"] == ["mien.target"]
    assert "mien-converse.service" not in (SYSTEMD / "mien.target").read_text()
    assert (agent["IPAddressDeny"], agent["RestrictAddressFamilies"]) == (["any"], ["AF_UNIX"])
    assert agent["SupplementaryGroups"] == ["mien"]
    assert agent["PrivateDevices"] == ["yes"]


def test_the_link_has_a_network_and_no_devices_and_runs_where_a_fleet_s_file_is() -> None:
    link = directives("mien-link.service")
    assert link["WantedBy"] == ["mien.target"]
    assert link["ConditionPathExists"] == [str(SYSTEM_LINK_CONFIG)]
    assert link["PrivateDevices"] == ["yes"]
    assert link["RestartPreventExitStatus"] == [str(Exit.CONFIG.value)]
    assert "OnFailure" not in link  # its message would take the screen
    assert link["StartLimitIntervalSec"] == ["0"]
    assert float(link["MemoryMax"][0].removesuffix("M")) > 2 * 45


def test_root_s_side_is_the_link_s_alone_and_has_no_network() -> None:
    socket, control = directives("mien-board-control.socket"), directives("mien-board-control@.service")
    assert socket["ListenStream"] == [str(SOCKET)]
    assert (socket["SocketGroup"], socket["SocketMode"], socket["Accept"]) == (["mien-link"], ["0660"], ["yes"])
    assert control["PrivateNetwork"] == ["yes"]
    assert control["CapabilityBoundingSet"] == [""]
    assert "User" not in control


def test_the_ear_goes_after_the_face_and_before_the_voice() -> None:
    voice, face, ear = (directives(f"{service}.service") for service in SERVICES)
    for key, order in (("OOMScoreAdjust", (voice, ear, face)), ("CPUWeight", (face, ear, voice))):
        first, second, third = (int(unit[key][0]) for unit in order)
        assert first < second < third


def test_a_message_takes_the_screen_from_the_face_and_leaves_the_voice_alone() -> None:
    voice, face = (directives(f"{service}.service") for service in TARGET_SERVICES)
    assert "mien-message.target" in face["Conflicts"]
    assert voice["Conflicts"] == ["shutdown.target"]
    assert directives("mien-message.target")["After"] == ["mien-face.service"]  # the face has ended when it is there


@pytest.mark.parametrize("service", SERVICES)
def test_descriptors_suffice_for_the_service_and_end_before_the_machine_s_do(service: str) -> None:
    soft, hard = (int(text) for text in directives(f"{service}.service")["LimitNOFILE"][0].split(":"))
    assert soft == hard  # nobody raises it
    assert 256 <= soft <= 1024
    assert service != "mien-voice" or soft >= 8 * VoiceConfig().max_clients  # each has one, a stranger one for a while


def test_the_target_holds_both_services() -> None:
    target = configparser.ConfigParser(interpolation=None)
    target.read(SYSTEMD / "mien.target")
    assert target["Unit"]["Wants"].split() == [f"{service}.service" for service in TARGET_SERVICES]
    for service in SERVICES:
        assert directives(f"{service}.service")["PartOf"] == ["mien.target"]


def test_nothing_else_knows_the_names_of_the_units() -> None:
    listed = run("git", "-C", str(REPOSITORY), "ls-files", "runtime", "models", "firmware_scripts").stdout.splitlines()
    name = re.compile(r"mien-(voice|face|ear|link|failure@|retry@)[\w.@%]*\.(service|timer)")
    knowing = [
        path
        for path in listed
        if (REPOSITORY / path).is_file()
        and not path.endswith(".md")
        and name.search((REPOSITORY / path).read_text(errors="ignore"))
    ]
    assert knowing == []


@pytest.mark.parametrize(("machine", "services"), [("qemu", set(USERS)), ("kvm", set()), ("none", set())])
def test_an_emulated_board_gets_more_time(tmp_path: Path, machine: str, services: set[str]) -> None:
    detect = tmp_path / "systemd-detect-virt"
    detect.write_text(f"#!/bin/sh\necho {machine}\n[ {machine} != none ]\n")
    detect.chmod(0o755)
    units = tmp_path / "units"
    subprocess.run(
        [SYSTEMD / "emulated-board", units, units, units, tmp_path],
        check=True,
        timeout=20,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    found = {path.parent.name.removesuffix(".service.d"): path.read_text() for path in units.rglob("*.conf")}
    assert set(found) == services
    assert all("WatchdogSec=300\n" in text and "LimitRTPRIO=0\n" in text for text in found.values())
    assert [name for name, text in found.items() if f"MESA_SHADER_CACHE_DIR={tmp_path}/shaders\n" in text] == [
        service for service in services if service == "mien-face"
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_slow_comes_before_a_service(service: str) -> None:
    unit = directives(f"{service}.service")
    assert unit["DefaultDependencies"] == ["no"]
    assert unit["Before"] == ["shutdown.target"]
    assert "shutdown.target" in unit["Conflicts"]
    assert not {"network.target", "sysinit.target", "basic.target", "sound.target"} & set(unit["After"][0].split())
