#!/usr/bin/env python3
"""Makes the README's table of boards, with a page for each board, from the files beside this script."""

import sys
from pathlib import Path
from typing import Final

from mien.bench.board.page import page_of
from mien.bench.board.private import found_in
from mien.bench.board.report import BoardReport, read_report
from mien.bench.board.table import placed, table_of
from mien.errors import MienError

ROOT: Final = Path(__file__).resolve().parents[2]


def read_all(folder: Path) -> list[BoardReport]:
    """Every published file. Raises MienError for one that is invalid or holds what must not be published."""
    reports = []
    for path in sorted(folder.glob("*.json")):
        report = read_report(path)
        if found := found_in(report):
            raise MienError(f"{path.name}: holds a path or an address: {found[0]}")
        reports.append(report)
    return reports


def wanted(root: Path) -> dict[Path, str]:
    """The text that each made file should have. Raises MienError or ValueError."""
    folder, readme = root / "docs/boards", root / "README.md"
    reports = read_all(folder)
    pages = {folder / f"{report.name}.md": page_of(report) for report in reports}
    return {readme: placed(readme.read_text(encoding="utf-8"), table_of(reports)), **pages}


def main() -> None:
    """Write what has changed. Exits 1 with a sentence when a file is invalid."""
    try:
        for path, text in wanted(ROOT).items():
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
                print(f"boards: wrote {path.relative_to(ROOT)}")
    except (MienError, ValueError) as error:
        sys.exit(f"boards: {error}")


if __name__ == "__main__":
    main()
