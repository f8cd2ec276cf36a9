"""A source file as bytes and positions: ast counts columns in bytes, and so does this."""

import ast
import re
from dataclasses import dataclass
from itertools import accumulate

_COMMENT = re.compile(rb"#[^\n]*")


class Source:
    """One Python file. file: as it is named in reports. Raises SyntaxError for what is no Python."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.data = data
        self.tree = ast.parse(data)
        self._starts = [0, *accumulate(len(line) for line in data.splitlines(keepends=True))]

    def start(self, node: ast.expr | ast.stmt) -> int:
        """The byte at which a node begins."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """The byte after a node's last."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt) -> str:
        """What is written there."""
        return self.data[self.start(node) : self.end(node)].decode()

    def token(self, left: int, right: int, pattern: str) -> tuple[int, int] | None:
        """Where an operator stands between two operands: its bytes, comments passed over; None where it is not."""
        between = _COMMENT.sub(lambda found: b" " * len(found[0]), self.data[left:right])
        found = re.search(pattern.encode(), between)
        return None if found is None else (left + found.start(), left + found.end())


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a file's text. start, end: bytes replaced by text. kind: the operator's name, for the report."""

    kind: str
    start: int
    end: int
    text: str

    def apply(self, data: bytes) -> bytes:
        """The whole file, changed."""
        return data[: self.start] + self.text.encode() + data[self.end :]


@dataclass(frozen=True, slots=True)
class Mutation:
    """One bug that could be.

    lines: of the statement it is in, first and last; a test that runs none of them cannot notice it. at_import: it is
    run when the module is imported, not by any one test.
    """

    package: str
    file: str
    line: int
    edit: Edit
    before: str
    after: str
    lines: tuple[int, int]
    at_import: bool

    @property
    def name(self) -> str:
        """file:line kind."""
        return f"{self.file}:{self.line} {self.edit.kind}"


def mutation(package: str, file: str, data: bytes, edit: Edit, lines: tuple[int, int], *, at_import: bool) -> Mutation:
    """An edit with its line, before and after."""
    line = data.count(b"\n", 0, edit.start) + 1
    changed = edit.apply(data)
    first = data.rfind(b"\n", 0, edit.start) + 1
    before = data[first : _line_end(data, edit.end)]
    after = changed[first : _line_end(changed, edit.start + len(edit.text.encode()))]
    return Mutation(package, file, line, edit, _shown(before), _shown(after), lines, at_import)


def _line_end(data: bytes, place: int) -> int:
    end = data.find(b"\n", place)
    return len(data) if end < 0 else end


def _shown(text: bytes) -> str:
    return " ".join(text.decode().split())
