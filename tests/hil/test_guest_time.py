"""The run in guest time: what is made of what the board tells, and the unit that is laid into the image."""

import shutil
import subprocess

import numpy as np
import pytest

from hil.errors import RigError
from hil.qemu import guest_time
from hil.qemu.guest_time import FILES, RATE_HZ, ROOT_AT, command, figures, heard, prepare
from hil.qemu.kept_runs import KeptRuns


def told():
    """Two turns at 1 and 3 s, a cut at 6 s, the card's pointer 0.5 s into the stream at 0.75 s of the board's clock."""
    face = {
        "kind": "face",
        "offsets_ms": [1.0, 3.0],
        "p95_ms": [4.0, 9.0],
        "lead_ms": [200],
        "fps": [30],
        "level": "full",
        "missed": 0,
    }
    return [
        {"kind": "up", "face": True, "at_s": 0.5, "uptime_s": 12.5},
        {"kind": "pointer", "at_s": 0.75, "hw_frames": RATE_HZ // 2, "state": "RUNNING"},
        {"kind": "turn", "sent_s": 1.0, "latency_ms": 80.0, "played_ms": 500.0},
        {"kind": "turn", "sent_s": 3.0, "latency_ms": 90.0, "played_ms": 500.0},
        {"kind": "cost", "seconds": 10.0, "cpu_ms": {"mien-voice": 500.0, "mien-face": 3000.0}, "frames": 300},
        {"kind": "cut", "sent_s": 6.0, "told_s": 6.02, "played_ms": [700.0]},
        face,
        {"kind": "voice", "counters": {"sink_underruns": 2}, "level": "full"},
        {"kind": "end"},
    ]


def written(path, spoken_s):
    """A WAV as QEMU leaves it: stereo, its header of any content. spoken_s: (from, to) on the board's clock."""
    mono = np.zeros(9 * RATE_HZ, dtype="<i2")
    for begin, end in spoken_s:
        mono[round((begin - 0.25) * RATE_HZ) : round((end - 0.25) * RATE_HZ)] = 5000
    path.write_bytes(bytes(44) + np.repeat(mono, 2).tobytes())
    return path


def test_figures_are_on_the_boards_clock(tmp_path):
    path = written(tmp_path / "out.wav", [(1.1, 1.6), (3.14, 3.64), (5.0, 6.06)])
    found = figures(told(), heard(path, told()))
    assert found["first audio to first sound at the card, median [ms]"] == pytest.approx(120, abs=0.1)
    assert found["barge-in to silence at the card, median [ms]"] == pytest.approx(60, abs=0.1)
    assert found["barge-in to the client being told, median [ms]"] == pytest.approx(20)
    assert found["face without rasterisation: CPU time per frame [ms]"] == 10.0
    assert found["voice: CPU time per second of conversation [ms]"] == 50.0
    assert found["A/V offset, as reported by the face, median [ms]"] == 2.0
    assert found["sink underruns"] == 2


def test_a_turn_that_was_never_heard_is_no_number(tmp_path):
    found = figures(told(), heard(written(tmp_path / "out.wav", []), told()))
    assert np.isnan(found["first audio to first sound at the card, median [ms]"])


def test_a_board_that_does_not_finish_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(guest_time, "command", lambda _: ["true"])
    (tmp_path / "serial.log").write_text('@@rig {"kind": "error", "what": "no voice"}\n')
    with pytest.raises(RigError, match="no voice"):
        guest_time.measure(tmp_path)


def test_nothing_reaches_the_board_from_outside(tmp_path, monkeypatch):
    monkeypatch.setattr(guest_time, "emulator", lambda: ("qemu",))
    words = " ".join(command(tmp_path))
    for must in ("-nic none", "dtb-randomness=off", "clock=vm", "sleep=off", "-smp 1", "-no-reboot", "snapshot=on"):
        assert must in words
    assert "rng" not in words


def test_the_measuring_unit_is_laid_into_root_a(tmp_path):
    if not all(map(shutil.which, ("debugfs", "mke2fs"))):
        pytest.skip("e2fsprogs is not installed")
    folder, image = tmp_path / "root", tmp_path / "image"
    (folder / "usr/lib/systemd/system/multi-user.target.wants").mkdir(parents=True)
    (folder / "usr/lib/mien").mkdir(parents=True)
    with image.open("wb") as file:
        file.truncate(ROOT_AT + 8 * 2**20)
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-d", str(folder), "-E", f"offset={ROOT_AT}", str(image), "8M"],
        check=True,
        capture_output=True,
    )
    prepare(image, tmp_path / "card.raw")
    for path, name in FILES.items():
        text = subprocess.run(
            ["debugfs", "-R", f"cat {path}", f"{tmp_path / 'card.raw'}?offset={ROOT_AT}"],
            check=True,
            capture_output=True,
        ).stdout
        assert text == (guest_time.HERE / "guest" / name).read_bytes()


def test_an_image_without_a_root_is_refused(tmp_path):
    if not shutil.which("debugfs"):
        pytest.skip("e2fsprogs is not installed")
    (tmp_path / "image").write_bytes(bytes(2**20))
    with pytest.raises(RigError, match="card: "):
        prepare(tmp_path / "image", tmp_path / "card.raw")


def test_runs_are_compared_with_those_of_the_same_board_only(tmp_path):
    image, unit = tmp_path / "image", tmp_path / "unit"
    image.write_bytes(b"one")
    unit.write_text("measure")

    def kept():
        return KeptRuns(tmp_path / "runs.json", image, [unit], ["qemu"])

    assert kept().runs() == []
    kept().add({"first sound [ms]": 80.0})
    kept().add({"first sound [ms]": 81.0})
    assert [run["first sound [ms]"] for run in kept().runs()] == [80.0, 81.0]
    unit.write_text("measure otherwise")
    assert kept().runs() == []


@pytest.mark.parametrize(("values", "said"), [([1.0], "one run"), ([1.0, 1.0], "the same at 2 runs"),
                                              ([1.0, 2.5], "runs: 1, 2.5")])  # fmt: skip
def test_how_runs_agree_is_said(values, said):
    assert guest_time.compared(values) == said
