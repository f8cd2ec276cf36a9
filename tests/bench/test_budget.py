"""The budget of a board: counts become rows with estimates that say what they assume; what is missing is no figure."""

import io
import json
import wave

import pytest

from mien.bench import budget
from mien.bench.budget import BOARDS, Counter, Stage, run_budget, spoken_s, wav_seconds
from mien.errors import MienError


def a_wav(seconds, rate_hz=16000):
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(bytes(2 * round(seconds * rate_hz)))
    return made.getvalue()


def test_an_estimate_is_a_range_of_instructions_a_cycle():
    least, most = BOARDS["pi4"].times_ms(1_440_000_000)
    assert (least, most) == (pytest.approx(500), pytest.approx(1000))


def test_a_stage_is_the_difference_of_two_counts_a_unit(monkeypatch, tmp_path):
    counted = {"50": 1_000_000, "150": 9_000_000}
    monkeypatch.setattr(budget, "count_python", lambda arguments, *_, **__: counted[arguments[3]])
    counter = Counter("cortex-a72", tmp_path, tmp_path)
    stage = Stage("ear: voice activity", "activity", "20 ms", 50, 150, 320 / 512)
    assert counter.stage(stage, tmp_path, tmp_path) == pytest.approx(80_000 * 320 / 512)


def test_loading_a_model_is_counted_once_for_all_its_windows(monkeypatch, tmp_path):
    runs = []

    def count(arguments, *_, **__):
        runs.append(arguments[2:4])
        return 7_000_000_000 if arguments[3] == "1" else 5_000_000_000

    monkeypatch.setattr(budget, "count_python", count)
    counter = Counter("cortex-a72", tmp_path, tmp_path)
    for work in ("base-10", "base-15"):
        assert counter.stage(Stage(work, work, "utterance", 0, 1), tmp_path, tmp_path) == 2e9
    assert runs == [["base-10", "0"], ["base-10", "1"], ["base-15", "1"]]


def test_only_a_guided_stage_gets_the_text(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(budget, "count_python", lambda arguments, *_, **__: seen.append(arguments) or 1)
    counter = Counter("cortex-a72", tmp_path, tmp_path)
    for guided in (False, True):
        counter.stage(Stage("motion", "standard", "20 ms", 20, 150, guided=guided), tmp_path, tmp_path)
    assert ["--phones" in arguments for arguments in seen] == [False, False, True, True]


def test_rows_say_what_was_counted_and_what_is_estimated(monkeypatch, tmp_path):
    monkeypatch.setattr(Counter, "program", lambda *_: (180_000_000, a_wav(2.0)))
    monkeypatch.setattr(budget, "phones_of_text", lambda *_: [])
    report = run_budget(["pi4"], lambda _: None, only="flite", folder=tmp_path)
    counted, estimated = report.rows
    assert (counted.name, counted.value, counted.unit) == (
        "Pi 4: speak: flite, 1 s of speech: counted",
        90.0,
        "million",
    )
    assert estimated.name.endswith("estimated at most")
    assert "0.8 instructions a cycle at 1.8 GHz, assumed" in estimated.note


def test_a_stage_that_cannot_run_is_a_row_without_a_value(monkeypatch, tmp_path):
    monkeypatch.setattr(Counter, "program", lambda *_: (1, a_wav(1.0)))
    monkeypatch.setattr(budget, "phones_of_text", lambda *_: [])

    def fails(*_):
        raise MienError("under qemu-aarch64: Segmentation fault")

    monkeypatch.setattr(Counter, "piper", fails)
    (row,) = run_budget(["pi5"], lambda _: None, only="piper", folder=tmp_path).rows
    assert row.value is None
    assert "Segmentation fault" in row.note


def test_without_the_emulator_the_row_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("MIEN_QEMU", str(tmp_path))
    monkeypatch.delenv("MIEN_AARCH64_ROOT", raising=False)
    (row,) = run_budget(["pi4"], lambda _: None, folder=tmp_path).rows
    assert row.value is None
    assert "make counter" in row.note


def test_a_wav_whose_header_does_not_know_its_length():
    whole = a_wav(1.5)
    assert wav_seconds(whole[:40] + (0x7FFFFFFF).to_bytes(4, "little") + whole[44:]) == pytest.approx(1.5)


def answers(*headers):
    out = io.BytesIO()
    for header, payload in headers:
        out.write(json.dumps(header | ({"bytes": len(payload)} if payload else {})).encode() + b"\n" + payload)
    out.seek(0)
    return out


def test_pipers_program_is_asked_sentence_by_sentence():
    requests = io.BytesIO()
    results = answers(
        ({"ready": True}, b""),
        ({"id": 1, "rate_hz": 100}, bytes(200)),
        ({"id": 1, "done": True}, b""),
        ({"id": 2, "rate_hz": 100}, bytes(200)),
        ({"id": 2, "done": True}, b""),
    )
    assert spoken_s("Hello.", 2, requests, results) == pytest.approx(2.0)
    assert requests.getvalue().count(b"Hello.") == 2


def test_a_piper_that_cannot_work_is_an_error():
    with pytest.raises(MienError, match="no voice"):
        spoken_s("Hello.", 1, io.BytesIO(), answers(({"failed": "no voice"}, b"")))
