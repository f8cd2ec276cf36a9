"""The key directory: valid and invalid files, and files that are never overwritten."""

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest
import zmq
import zmq.utils.z85
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import ConfigError
from mien.printable import has_control_characters, printable
from mien.transport import keys as keys_module
from mien.transport.key_file import decode_key, read_key_file
from mien.transport.keys import ROLES, KeyFolder

GOOD = zmq.curve_public(b"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")


def certificate(key, secret=None):
    secret_line = "" if secret is None else f'    secret-key = "{secret.decode()}"\n'
    return f'# made by hand\nmetadata\ncurve\n    public-key = "{key.decode()}"\n{secret_line}'


@pytest.fixture
def folder(tmp_path):
    """ada, an agent, and bot, a speaker."""
    folder = KeyFolder(tmp_path / "keys")
    folder.make_client("ada", "agent", tmp_path / "out")
    folder.make_client("bot", "speaker", tmp_path / "out")
    return folder


def place(folder, role, name):
    path = folder.root / "allowed" / role / f"{name}.key"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def users(folder):
    return [key.user_id for key in folder.read().keys]


BAD = {
    "garbage": (b"\xff\x00nonsense", "no public key"),
    "empty": (b"", "no public key"),
    "short": (certificate(GOOD[:39]).encode(), "40 characters, and this one 39"),
    "long": (certificate(GOOD + b"a").encode(), "40 characters, and this one 41"),
    "a letter beside the alphabet": (certificate(b"~" + GOOD[1:]).encode(), "not Z85"),
    "beyond 32 bits": (certificate(b"#####" + GOOD[5:]).encode(), "not Z85"),
    "a foreign secret": (certificate(GOOD, zmq.curve_keypair()[1]).encode(), "not a pair"),
    "a bad secret": (certificate(GOOD, b"x" * 41).encode(), "this one 41"),
    "too large": (certificate(GOOD).encode() + b"#" * 9000, "more than 8192 bytes"),
}


@pytest.mark.parametrize(("content", "why"), BAD.values(), ids=BAD)
def test_one_bad_file_costs_its_own_key_alone(folder, content, why):
    bad = place(folder, "agent", "eve")
    bad.write_bytes(content)
    found = folder.read()
    assert [key.user_id for key in found.keys] == ["speaker/bot", "agent/ada"]
    assert len(found.problems) == 1
    assert str(bad) in found.problems[0]
    assert why in found.problems[0]
    assert "mien keys make" in found.problems[0]


def test_a_pipe_or_folder_with_a_keys_name_does_not_hold_anybody_up(folder):
    os.mkfifo(place(folder, "agent", "pipe"))
    place(folder, "agent", "folder").mkdir()
    place(folder, "agent", "nowhere").symlink_to("nothing")
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    found = folder.read()
    assert [key.name for key in found.keys] == ["bot", "ada"]
    assert ["not a regular file" in problem for problem in found.problems] == [True, False, True]  # sorted by name
    assert "nowhere.key: cannot be read (No such file" in found.problems[1]
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_a_name_that_could_not_be_told_to_anybody_does_not_count(folder):
    shutil.copy(place(folder, "agent", "ada"), os.fsencode(place(folder, "observer", "x")) + b"\xff\n.key")
    found = folder.read()
    assert [key.name for key in found.keys] == ["bot", "ada"]
    assert found.problems[0].isprintable()
    assert r"x.key\udcff\n.key: invalid name" in found.problems[0]


def test_a_folder_that_is_not_there_is_empty(tmp_path):
    found = KeyFolder(tmp_path / "nowhere").read()
    assert (found.keys, found.problems) == ((), ())


def test_a_folder_that_cannot_be_read_is_a_problem_of_its_own_role(folder, monkeypatch):
    real = os.scandir

    def scandir(path):
        if path.name == "agent":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(keys_module.os, "scandir", scandir)
    found = folder.read()
    assert [key.name for key in found.keys] == ["bot"]
    assert len(found.problems) == 1
    assert (
        "allowed/agent: cannot be read ([Errno 13] Permission denied), so that no agent may connect"
        in (found.problems[0])
    )


def test_a_file_where_a_folder_should_be_is_a_problem(tmp_path):
    (tmp_path / "allowed").write_text("")
    found = KeyFolder(tmp_path).read()
    assert found.keys == ()
    assert len(found.problems) == len(ROLES)
    assert all("Not a directory" in problem for problem in found.problems)


def test_a_path_with_nul_is_a_problem_too(tmp_path):
    assert len(KeyFolder(tmp_path / "a\0b").read().problems) == len(ROLES)


@pytest.mark.parametrize(
    ("roles", "counts"),
    [
        (("agent", "speaker"), "speaker"),
        (("agent", "observer"), "observer"),
        (("speaker", "observer"), "observer"),
        (("agent", "speaker", "observer"), "observer"),
        (("listener", "observer"), "observer"),
        (("agent", "speaker", "listener"), "listener"),
    ],
)
def test_a_key_with_two_roles_has_the_lesser(tmp_path, roles, counts):
    folder = KeyFolder(tmp_path)
    for role in roles:
        place(folder, role, f"as-{role}").write_text(certificate(GOOD))
    found = folder.read()
    assert [key.user_id for key in found.keys] == [f"{counts}/as-{counts}"]
    assert len(found.problems) == len(roles) - 1
    assert all(f"used as {counts}/as-{counts} only" in problem for problem in found.problems)


def test_a_key_under_two_names_of_one_role_counts_once(tmp_path):
    folder = KeyFolder(tmp_path)
    for name in ("zoe", "amy"):
        place(folder, "speaker", name).write_text(certificate(GOOD))
    assert users(folder) == ["speaker/amy"]
    assert "speaker/zoe" in folder.read().problems[0]


def test_a_key_is_known_by_its_text_and_its_bytes(folder):
    for key in folder.read().keys:
        assert len(key.public) == 40
        assert key.raw == zmq.utils.z85.decode(key.public)
        assert len(key.raw) == 32


@pytest.mark.parametrize("content", [content for content, _ in BAD.values()], ids=BAD)
def test_a_bad_pair_of_the_voice_is_named(tmp_path, content):
    (tmp_path / "voice.key_secret").write_bytes(content)
    with pytest.raises(ConfigError, match=r"voice\.key_secret: is not a key file"):
        KeyFolder(tmp_path).voice_pair()


def test_a_pair_without_its_secret_is_named(tmp_path):
    (tmp_path / "voice.key_secret").write_text(certificate(GOOD))
    with pytest.raises(ConfigError, match="no secret key"):
        KeyFolder(tmp_path).voice_pair()


def test_a_file_is_read_as_other_tools_write_it(tmp_path):
    public, secret = zmq.curve_keypair()
    path = tmp_path / "pair"
    path.write_bytes(b"curve\r\n\tpublic-key='%s'\r\nsecret-key = %s\r\npublic-key = junk" % (public, secret))
    found = read_key_file(path)
    assert (found.public, found.secret) == (public, secret)


@given(st.binary(max_size=60))
def test_what_decodes_is_forty_characters_for_thirty_two_bytes(text):
    try:
        raw = decode_key(text)
    except ValueError:
        return
    assert len(raw) == 32
    assert zmq.utils.z85.encode(raw) == text


@given(st.binary(min_size=32, max_size=32))
def test_every_key_decodes(raw):
    assert decode_key(zmq.utils.z85.encode(raw)) == raw


@settings(max_examples=200)
@given(st.text())
def test_printable_is_printable_and_nothing_is_lost(text):
    shown = printable(text)
    assert shown.isprintable()
    assert not has_control_characters(shown)
    assert has_control_characters(text) <= (shown != text)


@pytest.mark.parametrize(
    ("letter", "control"),
    [
        ("\0", True),
        ("\x1f", True),
        (" ", False),
        ("~", False),
        ("\x7f", True),
        ("\x9f", True),
        ("\xa0", False),
        ("ü", False),
        ("👍", False),
    ],
)
def test_which_characters_control(letter, control):
    assert has_control_characters(f"a{letter}b") is control


def test_half_a_surrogate_pair_is_as_bad_as_a_control_character():
    assert [has_control_characters(chr(code)) for code in (0xD7FF, 0xD800, 0xDFFF, 0xE000)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("taken", ["new.key_secret", "new.key"])
def test_a_file_that_is_there_is_never_overwritten(folder, tmp_path, taken):
    out = tmp_path / "out"
    (out / taken).write_text("another board's")
    with pytest.raises(ConfigError, match="exists already"):
        folder.make_client("new", "agent", out)
    assert (out / taken).read_text() == "another board's"
    assert users(folder) == ["speaker/bot", "agent/ada"]


@pytest.mark.parametrize("role", ["speaker", "agent", "observer", "listener"])
def test_a_name_is_given_once_even_if_its_file_is_bad(folder, tmp_path, role):
    place(folder, "agent", "eve").write_text("nonsense")
    with pytest.raises(ConfigError, match="mien keys remove eve"):
        folder.make_client("eve", role, tmp_path / "out")
    assert not (tmp_path / "out" / "eve.key_secret").exists()


def test_a_key_that_cannot_be_listed_leaves_nothing_behind(tmp_path):
    folder = KeyFolder(tmp_path / "keys")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "allowed").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be written"):
        folder.make_client("ada", "agent", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_client_is_taken_off_the_list(folder):
    gone = folder.remove("ada")
    assert gone == [place(folder, "agent", "ada")]
    assert users(folder) == ["speaker/bot"]
    with pytest.raises(ConfigError, match="there is no key 'ada'"):
        folder.remove("ada")


def test_a_file_that_is_no_key_is_removed_by_its_name_and_role(folder):
    for role in ("agent", "observer"):
        place(folder, role, "eve").write_text("nonsense")
    assert folder.remove("eve", "observer") == [place(folder, "observer", "eve")]
    assert folder.remove("eve") == [place(folder, "agent", "eve")]


@pytest.mark.parametrize("name", ["../voice", "", "a/b", "a\0b"])
def test_nothing_beside_the_list_is_removed(folder, name):
    with pytest.raises(ConfigError, match="is not a valid key name"):
        folder.remove(name)


def test_the_voices_pair_is_made_once(tmp_path):
    folder = KeyFolder(tmp_path)
    assert folder.make_voice_pair()
    pair = folder.voice_pair()
    assert not folder.make_voice_pair()
    assert folder.voice_pair() == pair


def test_a_listed_key_may_be_read_by_the_service_whatever_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        KeyFolder(tmp_path / "keys").make_client("ada", "agent", tmp_path / "out")
    finally:
        os.umask(before)
    listed = tmp_path / "keys" / "allowed" / "agent" / "ada.key"
    assert stat.S_IMODE(listed.stat().st_mode) == 0o644


def test_public_keys_are_for_everybody_and_secret_ones_are_not(tmp_path):
    folder = KeyFolder(tmp_path / "keys")
    before = os.umask(0)
    try:
        folder.make_voice_pair()
        secret = folder.make_client("ada", "agent", tmp_path / "out")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (*folder.root.glob("voice.*"), secret)}
    assert modes == {"voice.key": 0o644, "voice.key_secret": 0o640, "ada.key_secret": 0o600}


def test_a_full_disk_leaves_no_part_of_a_key(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ConfigError, match=r"cannot be written \(No space left"):
        KeyFolder(tmp_path / "keys").make_client("ada", "agent", tmp_path / "out")
    assert list(tmp_path.rglob("*ada*")) == []


def test_keys_that_cannot_be_written_are_a_mistake_with_the_folder_and_the_remedy(tmp_path):
    taken = tmp_path / "desk"
    taken.write_text("a file where the keys should go")
    keys = KeyFolder(tmp_path / "keys")
    keys.make_voice_pair()
    with pytest.raises(ConfigError, match=r"desk: keys cannot be written there .*run as root, or name another"):
        keys.make_client("ada", "agent", taken)
    with pytest.raises(ConfigError, match="keys cannot be written there"):
        KeyFolder(taken).make_voice_pair()


def test_making_keys_leaves_the_umask_as_it_was(tmp_path):
    before = os.umask(0o027)
    try:
        KeyFolder(tmp_path / "keys" / "board" / "7").make_voice_pair()
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_the_voice_s_secret_belongs_to_the_group_of_its_service(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(keys_module.os, "geteuid", lambda: 0)
    monkeypatch.setattr(keys_module.os, "chown", lambda *asked: given.append(asked))
    folder = KeyFolder(tmp_path / "keys")
    folder.make_voice_pair()
    folder.make_client("ada", "agent", tmp_path / "out")
    assert given == [(folder.root / "voice.key_secret", -1, folder.root.stat().st_gid)]
    monkeypatch.setattr(keys_module.os, "geteuid", lambda: 1000)
    KeyFolder(tmp_path / "others").make_voice_pair()  # only root may give files away
    assert len(given) == 1


def test_a_key_file_may_have_eight_kilobytes_and_not_a_byte_more(tmp_path):
    path, content = tmp_path / "x.key", certificate(GOOD).encode()
    path.write_bytes(content + b"#" * (8192 - len(content)))
    assert read_key_file(path).public == GOOD
    path.write_bytes(content + b"#" * (8193 - len(content)))
    with pytest.raises(ConfigError, match="more than 8192 bytes"):
        read_key_file(path)


def test_a_key_that_vanishes_while_it_is_listed_is_a_mistake_like_any_other(tmp_path, monkeypatch):
    def vanishes(public, _):
        public.unlink()
        public.with_suffix(".key_secret").unlink()
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(keys_module.shutil, "copyfile", vanishes)
    with pytest.raises(ConfigError, match="cannot be written"):
        KeyFolder(tmp_path / "keys").make_client("ada", "agent", tmp_path / "out")


def test_a_secret_is_nobody_else_s_from_the_first_moment(tmp_path, monkeypatch):
    def create(*asked):
        masks.append(os.umask(0o077))
        return made(*asked)

    masks, made = [], keys_module.zmq.auth.create_certificates
    monkeypatch.setattr(keys_module.zmq.auth, "create_certificates", create)
    before = os.umask(0)
    try:
        KeyFolder(tmp_path / "keys").make_voice_pair()
    finally:
        os.umask(before)
    assert masks == [0o077]


def test_a_key_that_cannot_be_removed_is_told_with_the_remedy(folder, monkeypatch):
    def unlink(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(ConfigError, match=r"ada\.key: cannot be removed \(Permission denied\); run as root$"):
        folder.remove("ada")
    assert place(folder, "agent", "ada").exists()
