"""The schemas in docs/mqtt are those of the code."""

from pathlib import Path

import pytest

from mien.fleet import schemas

FOLDER = Path(__file__).parents[2] / "docs" / "mqtt"


@pytest.mark.parametrize("name", sorted(schemas.PAYLOADS))
def test_the_page_carries_the_schema_of_the_code(name: str) -> None:
    assert (FOLDER / f"{name}.schema.json").read_text() == schemas.schema_text(name), (
        "run `python -m mien.fleet.schemas docs/mqtt`"
    )


def test_no_schema_is_left_over() -> None:
    assert {path.name for path in FOLDER.glob("*")} == {f"{name}.schema.json" for name in schemas.PAYLOADS}
