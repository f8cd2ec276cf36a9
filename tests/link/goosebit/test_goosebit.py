"""Updates from a real server, goosebit, with bundles that the real RAUC checks.

The slots are an ideal board's: installing a verity bundle takes dm-verity, which a container does not have. goosebit
knows no cancelAction; tests/link/update cancels with a server of ours.
"""

from itertools import count
from pathlib import Path

import pytest

from mien.fleet.topics import Board as Place
from mien.link.update.rauc import inspect
from mien.link.update.updater import REPEAT_S
from rigs.bundles import Keys
from rigs.goosebit import Goosebit
from rigs.update_rig import DdiServer, IdealBoard, partial
from rigs.updating_board import UpdatingBoard

NUMBERS = count(1)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


class Board(UpdatingBoard):
    """A board of this fleet: it trusts `keys`, and has a name that no other test has."""

    def __init__(self, goosebit: Goosebit, keys: Keys, folder: Path, **config: object) -> None:
        board = IdealBoard(lambda bundle: inspect(bundle.path, "mien-arm64", keys.options))
        super().__init__(goosebit.url, folder, Place("lab", f"k{next(NUMBERS)}"), board, **config)
        self.goosebit = goosebit
        self.identity = f"{self.place.site}.{self.place.name}"

    def register(self) -> None:
        """The first poll: the server asks for attributes."""
        self.step()
        assert self.goosebit.device(self.identity)["hardware"]["model"] == self.board.compatible

    def until(self, state: str, rounds: int = 300) -> None:
        """Until the server knows this state of the board."""
        for _ in range(rounds):
            self.step()
            if self.goosebit.device(self.identity)["last_state"] == state:
                return
        raise AssertionError(f"{self.goosebit.device(self.identity)}, {self.link.record}, {self.whats}")


@pytest.fixture
def board(goosebit: Goosebit, keys: Keys, tmp_path: Path) -> Board:
    found = Board(goosebit, keys, tmp_path / "board")
    found.register()
    return found


_VERSIONS = count(1)


def bundle(keys: Keys, folder: Path, **more: object) -> Path:
    """A bundle with a version of its own: goosebit takes each once."""
    number = next(_VERSIONS)
    return keys.bundle(folder / f"mien-{number}.raucb", version=f"1.0.{number}", **more)  # type: ignore[arg-type]


def test_success_only_after_the_new_slot_has_shown_a_face_and_spoken(board: Board, keys: Keys, tmp_path: Path) -> None:
    software = board.goosebit.upload(bundle(keys, tmp_path))
    board.goosebit.put(board.identity, software=software)
    board.kiosk.works = False
    board.until("Running")
    board.run("trial")
    for _ in range(60):
        board.step()
    assert board.goosebit.device(board.identity)["last_state"] == "Running"
    board.kiosk.works = True
    board.until("Finished")
    device = board.goosebit.device(board.identity)
    assert device["sw_version"] == board.board.slots["B"][0] != "0.2.0"
    assert board.stages == ["downloading", "installing", "restarting", "good"]
    told = board.goosebit.last_log(board.identity)
    for words in ("downloaded", "installing into the other slot", "the board restarts", "a turn was heard"):
        assert words in told


def test_a_stranger_s_signature(board: Board, tmp_path: Path) -> None:
    software = board.goosebit.upload(bundle(Keys(tmp_path / "stranger"), tmp_path))
    board.goosebit.put(board.identity, software=software)
    board.until("Error")
    assert "RAUC refuses the bundle" in board.goosebit.last_log(board.identity)
    assert (board.board.bundles, board.board.reboots, board.kiosk.draining) == ([], 0, False)


def test_a_bundle_for_another_board(goosebit: Goosebit, keys: Keys, tmp_path: Path) -> None:
    """goosebit assigns by what a board says it is; so this board says something else than RAUC's configuration."""
    board = Board(goosebit, keys, tmp_path / "board")
    board.board.compatible = "toaster"
    board.register()
    software = board.goosebit.upload(bundle(keys, tmp_path, compatible="toaster"))
    board.goosebit.put(board.identity, software=software)
    board.until("Error")
    assert "'toaster', and this board is 'mien-arm64'" in board.goosebit.last_log(board.identity)
    assert board.board.bundles == []


def test_a_rollback(board: Board, keys: Keys, tmp_path: Path) -> None:
    board.board.spoilt = True
    board.goosebit.put(board.identity, software=board.goosebit.upload(bundle(keys, tmp_path)))
    board.until("Error")
    assert "previous release" in board.goosebit.last_log(board.identity)
    assert board.goosebit.device(board.identity)["sw_version"] == "0.2.0"
    assert board.stages[-1] == "rolled_back"


def test_a_failure_that_a_person_forces_again(board: Board, keys: Keys, tmp_path: Path) -> None:
    board.board.fails_with = "no space"
    board.goosebit.put(board.identity, software=board.goosebit.upload(bundle(keys, tmp_path)))
    board.until("Error")
    board.board.fails_with = ""
    board.goosebit.put(board.identity, force_update=True)
    board.now_s += REPEAT_S
    board.until("Finished")


def test_a_power_cut_in_the_download(board: Board, keys: Keys, tmp_path: Path) -> None:
    """goosebit answers byte ranges."""
    whole = bundle(keys, tmp_path, size=3_000_000)
    board.goosebit.put(board.identity, software=board.goosebit.upload(whole))
    board.run("downloading")
    board.link._fetch()
    held = board.link._held()
    with held.path.open("r+b") as file:
        file.truncate(1_000_000)  # what had reached the disk
    held.close()
    board.board.start()
    board.start()
    before = board.goosebit.log.count("206 Partial Content")
    board.until("Finished")
    assert board.goosebit.log.count("206 Partial Content") == before + 1


def test_a_withdrawn_update(board: Board, keys: Keys, tmp_path: Path) -> None:
    board.kiosk.visitor = True
    board.goosebit.put(board.identity, software=board.goosebit.upload(bundle(keys, tmp_path)))
    board.run("draining")
    board.goosebit.put(board.identity, pinned=True)
    board.run("idle")
    assert board.stages == ["downloading", "cancelled"]
    assert (board.kiosk.draining, partial(board.folder)) == (False, [])


def test_a_bundle_that_is_larger_than_permitted(goosebit: Goosebit, keys: Keys, tmp_path: Path) -> None:
    board = Board(goosebit, keys, tmp_path / "board", max_mb=1)
    board.register()
    goosebit.put(board.identity, software=goosebit.upload(bundle(keys, tmp_path, size=2_000_000)))
    board.until("Error")
    assert "too large" in goosebit.last_log(board.identity)
    assert partial(board.folder) == []


class TestBundlesElsewhere:
    """goosebit names bundles on other servers: ours, which misbehaves once goosebit has read the bundle."""

    @pytest.fixture
    def files(self, keys: Keys, tmp_path: Path) -> DdiServer:
        return DdiServer(bundle(keys, tmp_path, size=400_000).read_bytes())

    def assign(self, board: Board, files: DdiServer) -> None:
        software = board.goosebit.link(f"{files.url}/files/{board.identity}.raucb")
        board.goosebit.put(board.identity, software=software)

    def test_a_cut_download_goes_on(self, board: Board, files: DdiServer) -> None:
        self.assign(board, files)
        files.faults.cut_after, files.faults.cuts = 150_000, 2
        board.until("Finished")
        ranges = [headers.get("Range") for _, _, headers in files.requests[1:]]
        assert ranges == [None, "bytes=150000-", "bytes=300000-"]

    def test_redirects(self, board: Board, files: DdiServer) -> None:
        self.assign(board, files)
        files.faults.redirects = ["/files/1", "/files/2"]
        board.until("Finished")

    def test_too_many_redirects(self, board: Board, files: DdiServer) -> None:
        self.assign(board, files)
        files.faults.redirects = ["/files/1"] * 20
        board.until("Error")
        assert "redirects" in board.goosebit.last_log(board.identity)

    def test_a_lie_about_the_length(self, board: Board, files: DdiServer) -> None:
        self.assign(board, files)
        files.faults.length = 10
        board.until("Error")
        assert "sends 10 bytes, and promised" in board.goosebit.last_log(board.identity)

    def test_a_file_without_an_end(self, board: Board, files: DdiServer) -> None:
        self.assign(board, files)
        files.faults.chunked = True
        board.until("Finished")

    def test_another_file_than_promised(self, board: Board, files: DdiServer) -> None:
        self.assign(board, files)
        files.faults.wrong_bytes = True
        board.until("Error")
        assert "digest is wrong" in board.goosebit.last_log(board.identity)


def test_a_board_that_the_server_knows_by_its_token(strict: Goosebit, keys: Keys, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    (folder / "token").write_text("s3cret\n")
    board = Board(strict, keys, folder, token_file="token")
    board.step()  # unknown yet
    assert board.link.record.phase == "idle"
    strict.put(board.identity, auth_token="s3cret")
    board.now_s += 600
    board.register()
    strict.put(board.identity, software=strict.upload(bundle(keys, tmp_path)))
    board.until("Finished")
    (folder / "token").write_text("stolen\n")
    board.start()
    board.step()
    assert board.link._failures == 1
