"""The program whose instructions are counted hears its kiosk and cancels it; without an emulator there is no figure."""

from mien.bench.ear_blocks import instruction_row, run


def test_its_ear_removes_the_kiosks_speech():
    figures = run(200).figures
    assert figures.erle_db > 20
    assert figures.far_dbfs > -40
    assert figures.far_lost_frames == figures.far_missing_frames == 0


def test_without_an_emulator_the_row_says_what_to_build(monkeypatch, tmp_path):
    monkeypatch.setenv("MIEN_QEMU", str(tmp_path))
    monkeypatch.setenv("MIEN_AARCH64_ROOT", str(tmp_path))
    row = instruction_row()
    assert row.value is None
    assert "make image" in row.note or "--enable-plugins" in row.note
