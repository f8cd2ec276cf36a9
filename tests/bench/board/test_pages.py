"""The page, the README's table, the rows: nothing is left out; nothing from a machine is Markdown."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from mien.bench.board.page import page_of
from mien.bench.board.report import BoardReport, as_json, read_report
from mien.bench.board.rows import rows_of
from mien.bench.board.table import BEGIN, END, placed, table_of
from mien.errors import MienError
from rigs.boards import fields, report, spread

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("boards_build", ROOT / "docs/boards/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without_devices() -> BoardReport:
    """A report of a machine on which nearly nothing could be measured."""
    numbers = iter(range(1000))

    def emptied(value: Any) -> Any:
        if isinstance(value, dict) and "p50" in value:
            return spread(None, f"reason {next(numbers)}")
        if isinstance(value, dict) and "value" in value:
            return {"value": None, "reason": f"reason {next(numbers)}"}
        if isinstance(value, dict) and "during" in value:
            return {"during": None, "since_boot": None, "reason": f"reason {next(numbers)}"}
        if isinstance(value, dict):
            return {key: emptied(inner) for key, inner in value.items()}
        return [emptied(inner) for inner in value] if isinstance(value, list) else value

    return msgspec.convert(emptied(fields(kind="emulated", name="virt")), BoardReport)


def reasons(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reason"]] if value.get("reason") else []
        return own + [found for inner in value.values() for found in reasons(inner)]
    return [found for inner in value for found in reasons(inner)] if isinstance(value, list | tuple) else []


def test_the_page_has_every_figure() -> None:
    page = page_of(report())
    for text in ("52.0", "140.0", "31.0", "12.8", "V3D 4.2", "71 °C", "throttled", "21.5", "40.2", "74.0", "4 busy"):
        assert text in page


def test_the_page_gives_the_reason_for_everything_that_is_missing() -> None:
    bare = without_devices()
    found = reasons(msgspec.to_builtins(bare))
    page = page_of(bare)
    assert len(found) > 40
    assert [reason for reason in found if not re.search(rf"{reason}(?!\d)", page)] == []
    assert "**emulated**" in page


def test_what_a_machine_calls_itself_is_no_markdown() -> None:
    facts = {**fields()["facts"], "gl_renderer": {"value": "<b>[x](y) `z` *"}}
    assert "\\<b\\>\\[x\\](y) \\`z\\` \\*" in page_of(report(facts=facts))


def test_the_table_puts_boards_first_and_marks_the_others() -> None:
    desktop = report(name="a-desktop", kind="desktop", note="shared")
    emulated = without_devices()
    table = table_of([desktop, emulated, report()])
    lines = table.splitlines()[2:]
    assert [line.split("](docs/boards/")[1].split(".md")[0] for line in lines] == [
        "raspberry-pi-4",
        "virt",
        "a-desktop",
    ]
    assert "emulated" in lines[1]
    assert "not a board" in lines[2]
    assert "52 ms" in lines[0]
    assert lines[1].count("not measured") >= 8
    assert len({line.count("|") for line in table.splitlines()}) == 1


def test_a_null_sink_is_named_beside_its_first_sound() -> None:
    facts = {**fields()["facts"], "sink": "null", "sound_card": {"value": None, "reason": "no card"}}
    assert "52 ms (null sink)" in table_of([report(facts=facts)])


def test_the_table_replaces_the_old_one_and_nothing_else() -> None:
    readme = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = placed(readme, "| new |\n")
    assert once == f"before\n{BEGIN}\n\n| new |\n\n{END}\nafter\n"
    assert placed(once, "| new |\n") == once


@pytest.mark.parametrize("readme", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_a_readme_without_one_pair_of_markers_is_refused(readme: str) -> None:
    with pytest.raises(ValueError, match=r"README\.md needs"):
        placed(readme, "")


def test_rows_have_limits_only_where_there_is_a_figure() -> None:
    full = {row.name: row for row in rows_of(report()).rows}
    assert full["first sound, burst, p95"].reached is True
    assert full["barge-in to last sample, p95"].bar == 50
    bare = rows_of(without_devices()).rows
    assert [row.name for row in bare] == list(full)
    assert all(row.reached is None for row in bare)
    assert all(row.note for row in bare)


def test_a_missed_limit_is_missed() -> None:
    late = report(offset={"median_ms": {"value": 30.0}, "absolute_ms": spread(40.0)})
    assert [row.name for row in rows_of(late).rows if row.reached is False] == ["A/V offset, p95 of |offset|"]


def test_the_published_files_are_valid_and_their_pages_and_the_readme_are_up_to_date(build: ModuleType) -> None:
    files = sorted((ROOT / "docs/boards").glob("*.json"))
    assert files
    stale = [path.name for path, text in build.wanted(ROOT).items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "run `make boards`, and commit what it changed"
    pages = {path.stem for path in (ROOT / "docs/boards").glob("*.md")} - {"README"}
    assert pages == {path.stem for path in files}


def test_a_published_file_holds_no_path_or_address(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "raspberry-pi-4.json").write_bytes(as_json(report(note="ran in /home/ada")))
    with pytest.raises(MienError, match=r"raspberry-pi-4.json: holds a path"):
        build.read_all(tmp_path)


def test_no_raspberry_pi_is_claimed_before_there_is_one() -> None:
    """The pages say that nobody has published one. Change them when somebody has."""
    published = [read_report(path) for path in (ROOT / "docs/boards").glob("*.json")]
    claimed = [each.name for each in published if each.kind == "board"]
    assert not claimed, "README.md and docs/boards/README.md say that there is none"
