"""The file of a board: what is accepted on reading, what a broken one says."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mien.bench.board.report import SCHEMA, as_json, parse_report, read_report
from mien.errors import MienError
from rigs.boards import fields, report, spread


def refused(changed: dict[str, Any]) -> str:
    with pytest.raises(MienError) as error:
        parse_report(msgspec.json.encode(changed), "pi.json")
    return str(error.value)


def test_what_is_written_reads_back_the_same() -> None:
    whole = report()
    assert parse_report(as_json(whole), "pi.json") == whole


def test_every_field_is_in_the_file_even_where_nothing_was_measured() -> None:
    text = as_json(report(loaded={"processes": 4, "first_sound_burst_ms": spread(None, "no turn")})).decode()
    assert '"p95": null' in text
    assert '"reason": "no turn"' in text


@pytest.mark.parametrize("field", [name for name in fields() if name != "schema"])
def test_a_field_that_is_left_out_is_refused(field: str) -> None:
    changed = fields()
    del changed[field]
    assert field in refused(changed)


def test_an_unknown_field_is_refused_by_its_name() -> None:
    assert "hostname" in refused(fields(hostname="lobby"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"p50": None, "p95": None, "p99": None, "samples": 0},
        {"p50": 1.0, "p95": 2.0, "p99": 3.0, "samples": 3, "reason": "though it was measured"},
        {"p50": 1.0, "p95": 2.0, "p99": None, "samples": 3},
        {"p50": 1.0, "p95": 2.0, "p99": 3.0, "samples": 0},
    ],
)
def test_null_needs_a_reason_and_a_figure_has_none(wrong: dict[str, Any]) -> None:
    assert "first_sound_burst_ms" in refused(fields(loaded={"processes": 1, "first_sound_burst_ms": wrong}))


def test_a_fact_without_value_or_reason_is_refused() -> None:
    facts = {**fields()["facts"], "screen": {"value": None}}
    assert "null needs a reason" in refused(fields(facts=facts))


def test_another_schema_says_which_one_is_read() -> None:
    said = refused({"schema": SCHEMA + 1, "whatever": 1})
    assert f"schema {SCHEMA + 1}" in said
    assert f"reads {SCHEMA}" in said


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"schema": "one"}', b"\xff", b"[" * 100_000])
def test_what_is_no_such_file_is_one_sentence(text: bytes) -> None:
    with pytest.raises(MienError, match=r"pi\.json: not a file of `mien bench board`"):
        parse_report(text, "pi.json")


@pytest.mark.parametrize("name", ["Pi 4", "../etc", "pi--4", "-pi", "", "pi\n"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    assert "name" in refused(fields(name=name))


def test_a_cell_cannot_hold_a_line_break_or_a_column() -> None:
    for note in ("two\nlines", "a | b"):
        assert "note" in refused(fields(note=note))


def test_a_file_has_the_name_of_its_report(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(as_json(report()))
    with pytest.raises(MienError, match=r"call the file raspberry-pi-4.json"):
        read_report(path)
    path.rename(tmp_path / "raspberry-pi-4.json")
    assert read_report(tmp_path / "raspberry-pi-4.json") == report()


def test_a_file_that_is_absent_is_said_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(MienError) as error:
        read_report(tmp_path / "pi.json")
    assert str(error.value) == "pi.json: No such file or directory"
