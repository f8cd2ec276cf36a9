"""A whole run of provisioning: what it takes over, wipes, tells and starts, whatever lies on the card."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from provisioning import storage, takeover
from provisioning.card import told

from mien.transport.keys import KeyFolder
from rigs.card import PUBLIC_KEY, SCRIPT, SSH_START, Card


def test_a_board_is_set_up_and_the_card_holds_no_secret_afterwards(card: Card) -> None:
    card.put("board.toml", 'hostname = "kiosk-7"\nconsole = true\nntp = ["time.example"]\n'
                           '[wifi]\nssid = "Café"\npassphrase = "correct horse"\ncountry = "DE"\n')  # fmt: skip
    assert card.main() == 0
    assert (card.etc / "hostname").read_text() == "kiosk-7\n"
    assert (card.etc / "console").read_text() == ""
    assert (card.etc / "timesyncd.conf.d/board.conf").read_text() == "[Time]\nNTP=time.example\n"
    assert [path.name for path in card.mien.iterdir()] == ["TAKEN.txt"]
    assert "correct horse" not in (card.etc / "wpa_supplicant.conf").read_text()
    assert not card.slept_s


def test_what_was_taken_is_told_on_the_card_and_in_the_journal(card: Card, capsys: Any) -> None:
    card.put("authorized_keys", PUBLIC_KEY)
    card.put("board.toml", "console = true")
    card.main()
    assert (card.mien / "TAKEN.txt").read_bytes() == (
        b"Imported, and removed from here:\r\nconsole\r\nssh/authorized_keys\r\n"
    )
    assert capsys.readouterr().out.splitlines() == ["imported: ssh/authorized_keys", "imported: console"]


def test_secrets_are_for_root_alone_and_settings_for_everybody(card: Card) -> None:
    card.put("board.toml", 'hostname = "a"\n[wifi]\nssid = "a"\npassphrase = "12345678"\ncountry = "DE"\n')
    card.provision()
    assert (card.etc / "wpa_supplicant.conf").stat().st_mode & 0o777 == 0o600
    assert (card.etc / "hostname").stat().st_mode & 0o777 == 0o644


def test_a_setting_taken_back_removes_its_file(card: Card) -> None:
    card.put("board.toml", 'console = true\nntp = ["time.example"]')
    card.provision()
    card.put("board.toml", "console = false\nntp = []")
    assert card.main() == 0
    assert [path.name for path in card.etc.rglob("*") if path.is_file()] == []


def test_a_file_that_settles_nothing_is_taken_from_the_card_too(card: Card) -> None:
    card.put("board.toml", "# nothing yet\n")
    assert card.main() == 0
    assert list(card.mien.iterdir()) == []


def test_a_setting_that_was_never_made_can_be_taken_back(card: Card) -> None:
    card.put("board.toml", "console = false\nntp = []")
    assert card.main() == 0


def test_a_mistake_is_told_on_card_and_screen_in_the_journal_and_by_the_exit_status(card: Card, capsys: Any) -> None:
    text = 'hostname = "Kiosk 7"\nconsole = "yes"'
    card.put("board.toml", text)
    assert card.main() == 1
    said = capsys.readouterr().err
    for place in (card.note, card.screen.read_text(), said):
        assert "board.toml" in place
        assert "    console: must be true or false" in place
    assert card.note.startswith("Correct these, and restart the board.")
    assert (card.mien / "board.toml").read_text() == text
    assert not card.etc.exists()
    assert card.commands == [["systemctl", "stop", "mien.target"], ["sleep"],
                             ["systemctl", "--no-block", "start", "mien.target"]]  # fmt: skip
    assert card.slept_s == [30]


def test_the_note_goes_when_the_mistake_is_mended(card: Card) -> None:
    card.put("board.toml", "hostname = kiosk")
    assert card.main() == 1
    card.put("board.toml", 'hostname = "kiosk"')
    assert card.main() == 0
    assert card.note == ""


# The three, and their neighbours: what a check was not written for.
@pytest.mark.parametrize(("name", "content"), [
    ("board.toml", b"x = " + b"[" * 5_000),
    ("board.toml", b"x = " + b"[" * 5_000 + b"]" * 5_000),
    ("board.toml", b"x = " + b"{a=" * 3_000),
    ("board.toml", b"console = " + b"9" * 5_000),
    ("board.toml", b"\xff\xfeh\0o\0"),
    ("board.toml", b"hostname = \"a\0b\""),
    ("board.toml", b"#" * 1_000_000),
    ("board.toml", b"ntp = 0001-01-01"),
    ("board.toml", b""" "\\ud800" = 1 """),
    (os.fsdecode(b"caf\xe9.toml"), b"x"),
    (os.fsdecode(b"keys/allowed/agent/\xff.key"), b"x"),
    ("odd\nname\x1b[2J.toml", b"x"),
    ("a/b/c/d/e/f/g", b"x"),
    ("keys/allowed/agent/stack.key", b"\xff" * 300),
    ("mien.toml", b"\xff\xfe\0"),
])  # fmt: skip
def test_a_broken_file_costs_the_others_nothing_nor_the_next_start(card: Card, name: str, content: bytes) -> None:
    card.put("authorized_keys", PUBLIC_KEY + "\n")
    card.put(name, content)
    assert card.main() == 1
    assert (card.etc / "ssh/authorized_keys").read_text() == PUBLIC_KEY + "\n"
    assert not (card.mien / "authorized_keys").exists()
    assert SSH_START in card.commands
    assert card.note.count("\r\n\r\n") == 1
    assert (card.mien / name).read_bytes() == content
    assert card.note.replace("\r\n", "").isprintable()
    assert card.screen.read_bytes().decode().replace("\r\n", "").removeprefix("\033[2J\033[H").isprintable()
    before = card.note
    assert card.main() == 1
    assert card.note == before


@pytest.mark.parametrize(("raised", "said"), [
    (subprocess.TimeoutExpired("ssh-keygen", 120), "timed out after 120 seconds"),
    (FileNotFoundError(errno.ENOENT, "No such file or directory"), "could not be imported: No such file"),
    (MemoryError(), "could not be imported: MemoryError"),
])  # fmt: skip
def test_a_check_that_cannot_be_made_is_a_mistake_of_that_file(card: Card, raised: Exception, said: str) -> None:
    card.put("authorized_keys", PUBLIC_KEY)
    card.put("board.toml", 'hostname = "a"')
    card.raises["ssh-keygen"] = raised
    report = card.provision()
    assert report.taken == ["hostname"]
    assert said in report.mistakes["authorized_keys"]
    assert (card.mien / "authorized_keys").exists()


def test_nothing_is_wiped_before_it_is_stored_for_good(card: Card, monkeypatch: Any) -> None:
    order: list[str] = []
    real_sync, real_wipe, real_replace = storage.os.fsync, takeover.wipe, Path.replace

    def name_of(descriptor: int) -> str:
        return Path(f"/proc/self/fd/{descriptor}").readlink().name

    monkeypatch.setattr(storage.os, "fsync", lambda fd: (order.append(f"sync {name_of(fd)}"), real_sync(fd)))
    monkeypatch.setattr(Path, "replace", lambda path, to: (order.append(f"rename {path.name}"), real_replace(path, to)))
    monkeypatch.setattr(takeover, "wipe", lambda path: (order.append("wipe"), real_wipe(path)))
    card.put("authorized_keys", PUBLIC_KEY)
    card.provision()
    # The file, its name, and the names of the folders that were made for it; data is what the board always had.
    assert order[:6] == [
        "sync authorized_keys.part",
        "rename authorized_keys.part",
        "sync ssh",
        "sync etc",
        "sync data",
        "wipe",
    ]


def test_a_disk_without_space_takes_nothing_of_the_file_and_leaves_it_on_the_card(card: Card, monkeypatch: Any) -> None:
    real = storage._write

    def write(path: Path, text: str, mode: int) -> None:
        if path.name == "wpa_supplicant.conf.part":
            path.touch()
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, text, mode)

    monkeypatch.setattr(storage, "_write", write)
    card.put("authorized_keys", PUBLIC_KEY)
    card.put("board.toml", 'hostname = "a"\n[wifi]\nssid = "a"\npassphrase = "12345678"\ncountry = "DE"\n')
    assert card.main() == 1
    assert [path.name for path in card.etc.rglob("*") if path.is_file()] == ["authorized_keys"]
    assert "could not be imported: No space left on device" in card.note
    assert (card.mien / "board.toml").exists()
    assert SSH_START in card.commands


def test_a_card_that_cannot_be_written_is_told_and_what_is_good_is_still_taken(card: Card, monkeypatch: Any) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    for name in ("wipe", "write_notes", "remove_empty_folders"):
        monkeypatch.setattr(takeover, name, refuse)
    card.put("authorized_keys", PUBLIC_KEY)
    assert card.main() == 1
    assert (card.etc / "ssh/authorized_keys").exists()
    assert SSH_START in card.commands
    screen = card.screen.read_text()
    assert "was imported, but could not be removed from here: remove it, it may contain a secret: Read-only" in screen
    assert "no notes could be written to the card" in screen


def test_one_who_cannot_be_told_keeps_nobody_else_from_hearing(card: Card) -> None:
    card.put("authorized_keys", PUBLIC_KEY)
    card.put("board.toml", '[network]\naddress = "192.168.1.20/24"\n')
    card.raises["systemctl"] = subprocess.TimeoutExpired("systemctl", 120)
    assert card.main() == 1
    assert ["networkctl", "reload"] in card.commands


def test_a_screen_that_cannot_be_written_leaves_the_face_running(card: Card) -> None:
    card.put("board.toml", "x = 1")
    card.screen.mkdir()
    assert card.main() == 1
    assert card.commands[-1] == ["systemctl", "--no-block", "start", "mien.target"]
    assert "x: unknown key" in card.note


def test_the_screen_has_room_for_a_few_mistakes_and_the_card_for_more(card: Card) -> None:
    for number in range(50):
        card.put(f"stray-{number:02}", "x")
    card.main()
    assert "stray-05" in card.screen.read_text()
    assert "stray-06" not in card.screen.read_text()
    assert "... and 44 more" in card.screen.read_text()
    assert "stray-39" in card.note
    assert "... and 10 more" in card.note


def test_as_many_mistakes_as_there_is_room_for_are_all_of_them() -> None:
    mistakes = {"a": "x\ny", "b": "z"}
    assert told(mistakes, 2) == [["a", "    x", "    y"], ["b", "    z"]]
    assert told(mistakes, 1) == [["a", "    x", "    y"], ["... and 1 more"]]


def test_folders_are_looked_into_as_deep_as_keys_lie(card: Card) -> None:
    card.put("a/b/c/d", "x")
    card.put("e/f/g/h/i", "x")
    assert list(card.provision().mistakes) == ["e/f/g/h", "a/b/c/d"]


def test_a_file_in_the_place_of_the_folder_is_told(card: Card) -> None:
    card.mien.rmdir()
    card.mien.write_text("x")
    assert card.main() == 1
    assert ".\r\n      cannot be read (Not a directory)" in card.screen.read_bytes().decode()
    assert "no note" not in card.screen.read_text()


def test_a_card_full_of_files_is_looked_at_as_far_as_a_card_may_be_filled(card: Card) -> None:
    for number in range(305):
        card.put(f"stray-{number:03}", "")
    card.put("authorized_keys", PUBLIC_KEY)
    report = card.provision()
    assert report.taken == ["ssh/authorized_keys"]
    assert "more than 300 files" in report.mistakes["(this folder)"]
    assert len(report.mistakes) == 300


def test_what_is_neither_a_file_nor_a_folder_is_named_and_never_opened(card: Card) -> None:
    os.mkfifo(card.mien / "board.toml")
    (card.mien / "authorized_keys").symlink_to("/etc/hostname")
    report = card.provision()
    assert report.mistakes == dict.fromkeys(("authorized_keys", "board.toml"), "neither a file nor a folder")


def test_hidden_files_and_our_own_notes_are_no_settings(card: Card) -> None:
    for name in (".DS_Store", "keys/._stack.key", "README.txt", "TAKEN.txt", "voice.key"):
        card.put(name, "x")
    assert card.main() == 0
    assert card.commands == []


def test_folders_go_when_they_are_empty_and_the_card_s_own_stays(card: Card) -> None:
    (card.mien / "keys/allowed/agent").mkdir(parents=True)
    assert card.main() == 0
    assert list(card.mien.parent.rglob("*")) == [card.mien]


def test_a_card_without_the_folder_has_nothing_to_say(card: Card) -> None:
    card.mien.rmdir()
    assert card.main() == 0
    assert card.commands == []


def test_a_folder_that_cannot_be_read_is_named(card: Card, monkeypatch: Any) -> None:
    real = Path.iterdir

    def iterdir(path: Path) -> Any:
        if path.name == "keys":
            raise OSError(errno.EIO, "Input/output error")
        return real(path)

    (card.mien / "keys").mkdir()
    card.put("authorized_keys", PUBLIC_KEY)
    monkeypatch.setattr(Path, "iterdir", iterdir)
    report = card.provision()
    assert report.mistakes["keys"] == "cannot be read (Input/output error)"
    assert report.taken == ["ssh/authorized_keys"]


def test_mien_itself_judges_its_configuration_once_the_keys_are_there(card: Card, tmp_path: Path) -> None:
    KeyFolder(tmp_path / "desk").make_client("stack", "agent", tmp_path)
    card.put("keys/allowed/agent/stack.key", (tmp_path / "desk/allowed/agent/stack.key").read_text())
    card.put("mien.toml", "[face]\nfsp = 25\n")
    seen: list[bool] = []
    run = card.board.run

    def look(command: list[str]) -> Any:
        if command[0] == "mien":
            seen.append((card.etc / "mien/keys/voice.key_secret").exists())
        return run(command)

    object.__setattr__(card.board, "run", look)
    card.refuses["mien"] = f"{card.mien / 'mien.toml'}: face.fsp: unknown key; did you mean 'fps'?"
    assert card.provision().mistakes == {"mien.toml": "face.fsp: unknown key; did you mean 'fps'?"}
    assert card.commands == [["mien", "check-config", "--file-only", str(card.mien / "mien.toml")]]
    assert seen == [True]


def test_mien_s_configuration_is_taken_without_what_windows_adds(card: Card) -> None:
    card.put("mien.toml", b"\xef\xbb\xbf[face]\r\nfps = 25\r\n")
    assert card.main() == 0
    assert (card.etc / "mien/mien.toml").read_bytes() == b"[face]\nfps = 25\n"
    assert card.commands[-1] == ["systemctl", "--no-block", "try-restart", "mien.target"]


def test_an_unknown_file_is_named(card: Card) -> None:
    card.put("wifi.txt", "x")
    assert "unknown file" in card.provision().mistakes["wifi.txt"]


@pytest.mark.parametrize(("board", "commands"), [
    ('[network]\naddress = "10.0.0.2/8"', [["networkctl", "reload"]]),
    ('[wifi]\nssid = "a"\ncountry = "DE"', [["systemctl", "--no-block", "try-restart", "wpa_supplicant@wlan0.service"],
                                         ["systemctl", "--no-block", "start", "wpa_supplicant@wlan0.service"]]),
    ('ntp = ["a"]', [["systemctl", "--no-block", "try-restart", "systemd-timesyncd.service"]]),
    ("console = true", [["systemctl", "--no-block", "restart", "console-getty.service"]]),
    ('hostname = "a"', []),
])  # fmt: skip
def test_the_running_system_follows(card: Card, board: str, commands: list[list[str]]) -> None:
    card.put("board.toml", board)
    assert card.main() == 0
    assert card.commands == commands


def test_a_network_manager_that_cannot_be_reached_is_restarted(card: Card) -> None:
    card.refuses["networkctl"] = "Failed to connect to bus"
    card.put("board.toml", '[network]\naddress = "10.0.0.2/8"')
    card.main()
    assert card.commands[-1] == ["systemctl", "--no-block", "try-restart", "systemd-networkd.service"]


def test_the_program_starts_on_the_python_of_the_board() -> None:
    asked = "import runpy, sys; sys.dont_write_bytecode = True; print(runpy.run_path(sys.argv[1])['main'].__name__)"
    found = subprocess.run([sys.executable, "-I", "-c", asked, SCRIPT], capture_output=True, text=True, timeout=30,
                           check=False)  # fmt: skip
    assert (found.stdout, found.stderr) == ("main\n", "")
