"""Names of troubles, certificates, facts, faults of the board, discovery, redaction, the bundle."""

import datetime
import errno
import io
import json
import re
import socket
import ssl
import tarfile
from pathlib import Path

import aiomqtt
import msgspec
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from mien.config import Config, FaceConfig
from mien.errors import ConfigError
from mien.fleet.status import Health
from mien.fleet.topics import Board
from mien.link.board_faults import BoardFaults
from mien.link.bundle import PART_BYTES, configuration, pack, parts
from mien.link.certificate import validity
from mien.link.discovery import discovery, discovery_topic
from mien.link.facts import Facts, find_avatar, read_facts
from mien.link.redact import HIDDEN, redacted
from mien.link.trouble import CLOCK_UNSET, TAKEN_OVER, name_trouble, refused_by
from rigs.mosquitto import Authority

FACTS = Facts(version="1", image="", slot="A", model="", motion="", avatar=None, built=0.0)


def wrapped(error: Exception) -> aiomqtt.MqttError:
    """As aiomqtt raises it: the text of the cause, which Python keeps as the context."""
    try:
        try:
            raise error
        except Exception as cause:
            raise aiomqtt.MqttError(str(cause)) from None
    except aiomqtt.MqttError as outer:
        return outer


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("certificate verify failed")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "refused"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "no_network"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "no_route"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), "reset"),
        (TimeoutError("timed out"), "timeout"),
        (socket.gaierror(-2, "Name or service not known"), "no_address"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "not_tls"),
        (ssl.SSLError(1, "[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED] alert"), "certificate_expired"),
        (ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] alert"), "certificate_needed"),
        (verification(10), "broker_expired"),
        (verification(9), "broker_not_yet_valid"),
        (verification(62), "wrong_name"),
        (verification(19), "untrusted"),
        (OSError(errno.EMFILE, "Too many open files"), "system"),
    ],
)
def test_a_trouble_has_a_name_and_a_remedy(error: Exception, name: str) -> None:
    for each in (error, wrapped(error)):
        found = name_trouble(each)
        assert found.name == name
        assert len(found.remedy) > 10


def test_a_certificate_of_the_future_is_a_clock_of_the_past() -> None:
    assert name_trouble(verification(9), clock_set=False) is CLOCK_UNSET
    assert name_trouble(verification(10), clock_set=False).name == "broker_expired"


def test_other_errors_keep_their_words() -> None:
    assert name_trouble(aiomqtt.MqttError("something new")) == ("lost", "something new")
    assert name_trouble(aiomqtt.MqttError("Operation timed out")).name == "timeout"


def test_what_a_broker_answers_is_named() -> None:
    def connack(word: str) -> ReasonCode:
        return ReasonCode(PacketTypes.CONNACK, word)

    assert refused_by(connack("Bad user name or password")) is not None
    assert refused_by(connack("Bad user name or password")).name == "bad_credentials"  # type: ignore[union-attr]
    assert refused_by(connack("Banned")).name == "banned"  # type: ignore[union-attr]
    assert refused_by(ReasonCode(PacketTypes.DISCONNECT, "Session taken over")) is TAKEN_OVER
    assert refused_by(connack("Success")) is None
    assert refused_by(connack("Topic name invalid")).name == "refused_by_broker"  # type: ignore[union-attr]


def test_the_validity_of_a_certificate_is_read_without_a_library(tmp_path: Path) -> None:
    path = Authority(tmp_path).issue("board", "museum/lobby", begins=-3, ends=7)
    valid = validity(path)
    now = datetime.datetime.now(datetime.UTC).timestamp()
    assert valid.begins == pytest.approx(now - 3 * 86_400, abs=60)
    assert valid.ends == pytest.approx(now + 7 * 86_400, abs=60)
    far = validity(Authority(tmp_path, "far").issue("far-board", "b", ends=30 * 365))  # GeneralizedTime, after 2049
    assert far.ends > 2_524_608_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no PEM",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----",
    ],
)
def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "board.crt"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"broker\.certificate: .*board\.crt"):
        validity(path)
    with pytest.raises(ConfigError, match="No such file"):
        validity(tmp_path / "absent")


def test_any_cut_of_a_certificate_is_refused_or_read(tmp_path: Path) -> None:
    path = Authority(tmp_path).issue("board", "museum/lobby")
    lines = path.read_text().splitlines()
    body = "".join(lines[1:-1])
    for end in range(4, len(body), 12):
        path.write_text(f"{lines[0]}\n{body[: end // 4 * 4]}\n{lines[-1]}\n")
        try:
            validity(path)
        except ConfigError:
            continue


def test_facts_of_an_image(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "etc/mien-release").write_text("NAME=mien\nVERSION_ID=1.2\nBUILD_EPOCH=1800000000\nVARIANT_ID=trixie\n")
    (tmp_path / "proc/cmdline").write_text("root=/dev/x rauc.slot=B quiet\n")
    (tmp_path / "proc/device-tree/model").write_text("Raspberry Pi 4 Model B Rev 1.4\0")
    facts = read_facts(tmp_path, lambda: Config(face=FaceConfig(avatar="theo")))
    assert (facts.image, facts.slot, facts.built) == ("1.2 trixie", "B", 1_800_000_000.0)
    assert facts.model == "Raspberry Pi 4 Model B Rev 1.4"
    assert facts.motion == "mien-standard"
    assert facts.avatar is not None
    assert facts.avatar.name == "theo"
    assert len(facts.avatar.sha256) == 64


def test_facts_of_a_desk_and_of_a_broken_mien_toml(tmp_path: Path) -> None:
    def broken() -> Config:
        raise ConfigError("mien.toml: no TOML")

    facts = read_facts(tmp_path, broken)
    assert (facts.image, facts.slot, facts.model, facts.built, facts.avatar) == ("", "", "", 0.0, None)
    assert find_avatar("/nowhere/head.mien-avatar") is None


def test_faults_of_the_board_begin_and_end_once() -> None:
    faults = BoardFaults()

    def step(clock: str = "free", disk: str = "", **health: object) -> list[tuple[str, bool]]:
        told = faults.step(msgspec.convert(health, Health), clock, disk)
        return [(fault.part, fault.failed) for fault in told]

    assert step() == []
    assert step(temperature_c=82.0) == [("heat", True)]
    assert step(temperature_c=80.0) == []
    assert step(temperature_c=74.0) == [("heat", False)]
    assert step(throttled=["under-voltage", "throttled"]) == [("heat", True), ("power", True)]
    assert step() == [("heat", False), ("power", False)]
    assert step(disk_used=0.96) == [("disk", True)]
    assert step(disk_used=0.92) == []
    assert step(disk_used=0.89) == [("disk", False)]
    assert step(disk="Read-only file system") == [("disk", True)]
    assert step(clock="unset") == [("disk", False), ("clock", True)]
    assert step() == [("clock", False)]
    soon = faults.step(Health(at=1000.0), "free", "", 1000.0 + 13 * 86_400)
    assert [(fault.part, fault.failed, fault.what) for fault in soon] == [
        ("link", True, "the board's certificate ends in 13 days")
    ]
    assert [fault.failed for fault in faults.step(Health(at=1000.0), "free", "", 1000.0 + 15 * 86_400)] == [False]
    assert next(faults.step(Health(at=None), "unset", "", 1000.0)).part == "clock"


def test_discovery_names_what_status_and_health_have() -> None:
    place = Board("museum", "lobby")
    assert discovery_topic(place) == "homeassistant/device/mien_museum_lobby/config"
    document = json.loads(discovery(place, FACTS))
    assert document["device"]["identifiers"] == ["mien_museum_lobby"]
    from mien.fleet.status import Status

    fields = {"status": Status.__struct_fields__, "health": Health.__struct_fields__}
    for component in document["components"].values():
        kind = component["state_topic"].rpartition("/")[2]
        key = component["value_template"].partition("value_json.")[2].split()[0]
        assert key in fields[kind]
    identifiers = [component["unique_id"] for component in document["components"].values()]
    assert len(set(identifiers)) == len(identifiers)


def test_secrets_do_not_leave_the_board(tmp_path: Path) -> None:
    path = tmp_path / "mien.toml"
    path.write_text(
        'think_url = "https://user:hunter2@llm.example/v1?key=hunter2#hunter2"\n'
        'token = "hunter2"\n[broker]\npassword = "hunter2"\nhost = "broker"\nlist = ["mqtts://a:hunter2@b"]\n'
        '[[accounts]]\nApiKey = "hunter2"\n'
    )
    text = configuration(path).decode()
    assert "hunter2" not in text
    assert json.loads(text)["broker"] == {"password": HIDDEN, "host": "broker", "list": ["mqtts://…@b"]}
    assert redacted({"when": 1.5, "on": True}) == {"when": 1.5, "on": True}


def test_a_configuration_that_cannot_be_read_is_told_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "mien.toml"
    assert b"No such file" in configuration(path)
    path.write_text('password = "hunter2\n')
    assert b"hunter2" not in configuration(path)
    path.write_bytes(b"x" * 2_000_000)
    assert configuration(path) == b"too large"


def test_a_bundle_in_parts_is_whole() -> None:
    files = {"log/voice.txt": bytes(range(256)) * 2000, "doctor.json": b"[]"}
    data = pack(files)
    assert pack(files) == data
    told = list(parts(b"x" * (2 * PART_BYTES + 1), lambda piece: piece))
    assert [(part["part"], part["parts"], len(part["data"])) for part in told] == [
        (0, 3, PART_BYTES),
        (1, 3, PART_BYTES),
        (2, 3, 1),
    ]
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = archive.extractfile("mien-bundle/log/voice.txt")
        assert member is not None
        assert member.read() == files["log/voice.txt"]


def test_the_page_lists_every_trouble() -> None:
    repository = Path(__file__).resolve().parents[2]
    source = (repository / "runtime/mien/link/trouble.py").read_text()
    broker = (repository / "runtime/mien/link/broker.py").read_text()
    known = set(re.findall(r'Trouble\(\s*"([a-z_]+)"', source + broker))
    known |= set(re.findall(r'": "([a-z_]+)",$', source, re.MULTILINE))
    page = (repository / "docs/mqtt.md").read_text().split("## What stands between")[1].split("## Events")[0]
    told = set(re.findall(r"`([a-z_]+)`(?=[,|` ]| \|)", page.split("|---|---|")[1]))
    assert known - told - {"identifier_refused", "protocol_refused", "quota_exceeded"} == set()
    assert told - known - {"broker"} == set()
