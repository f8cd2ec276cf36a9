"""Source files as bytes: positions are byte offsets, as in ast."""

import ast
import re
from dataclasses import dataclass
from itertools import accumulate

_COMMENT = re.compile(rb"#[^\n]*")


class Source:
    """A Python file. file: its name in reports. Raises SyntaxError."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.data = data
        self.tree = ast.parse(data)
        self._starts = [0, *accumulate(len(line) for line in data.splitlines(keepends=True))]

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Offset of the first byte of a node."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Offset after the last byte of a node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt) -> str:
        """The source text of a node."""
        return self.data[self.start(node) : self.end(node)].decode()

    def token(self, left: int, right: int, pattern: str) -> tuple[int, int] | None:
        """Byte range of an operator between two operands, skipping comments; None if not found."""
        between = _COMMENT.sub(lambda found: b" " * len(found[0]), self.data[left:right])
        found = re.search(pattern.encode(), between)
        return None if found is None else (left + found.start(), left + found.end())


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file. start, end: byte range replaced by text. kind: name of the operator, for the report."""

    kind: str
    start: int
    end: int
    text: str

    def apply(self, data: bytes) -> bytes:
        """The whole file with the change."""
        return data[: self.start] + self.text.encode() + data[self.end :]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A possible bug.

    lines: first and last of its statement; a test that executes none of them cannot detect it. at_import: executed
    when the module is imported, not by a test.
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
    """Make a mutation from an edit, with its line before and after."""
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
