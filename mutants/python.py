"""Mutation sites of a Python file: executable code, not texts, types or imports."""

import ast
from collections.abc import Iterator

from mutants.operators import edits
from mutants.source import Edit, Mutation, Source, mutation

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_HEADS = (*_FUNCTIONS, ast.ClassDef, ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try)
_SHOWN = {"__repr__", "__str__"}
_LOGS = {"log", "logger", "logging", "warnings"}
_TYPES = {"Literal", "Callable", "Annotated", "TypeVar", "NewType", "cast", "Protocol", "getattr", "hasattr"}
_UNHEARD_KEYWORDS = {"daemon", "name", "encoding", "errors", "exc_info", "stacklevel", "strict"}


def mutations(package: str, source: Source, codes: frozenset[str]) -> Iterator[Mutation]:
    """All mutations of the file. codes: the protocol's words, from protocol_codes()."""
    for edit, lines, at_import in _Walk(source, codes).body(source.tree.body, at_import=True, in_init=False):
        yield mutation(package, source.file, source.data, edit, lines, at_import=at_import)


def protocol_codes(wire: bytes) -> frozenset[str]:
    """The one-word codes of mien.core.wire; codes of several words are recognised by their underscores."""
    words = {
        node.value
        for node in ast.walk(ast.parse(wire))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return frozenset(word for word in words if word.isidentifier() and word.islower() and len(word) > 2)


TABLE = 12  # constants
Found = tuple[Edit, tuple[int, int], bool]


class _Walk:
    def __init__(self, source: Source, codes: frozenset[str]) -> None:
        self._source = source
        self._codes = codes

    def body(self, body: list[ast.stmt], *, at_import: bool, in_init: bool) -> Iterator[Found]:
        """Visit the statements of a block, recursively."""
        for statement in body:
            if not _is_left_alone(statement):
                yield from self._statement(statement, at_import=at_import, in_init=in_init)

    def _statement(self, node: ast.stmt, *, at_import: bool, in_init: bool) -> Iterator[Found]:
        for edit in self._own(node, in_init=in_init):
            yield edit, _lines(node), at_import
        inside = in_init
        if isinstance(node, _FUNCTIONS):
            at_import, inside = False, node.name == "__init__"
        for block in ("body", "orelse", "finalbody"):
            yield from self.body(getattr(node, block, []), at_import=at_import, in_init=inside)
        for handler in getattr(node, "handlers", []):
            yield from self.body(handler.body, at_import=at_import, in_init=inside)
        for case in getattr(node, "cases", []):
            yield from self.body(case.body, at_import=at_import, in_init=inside)

    def _own(self, node: ast.stmt, *, in_init: bool) -> Iterator[Edit]:
        for edit in edits(self._source, node, self._codes):
            if not (in_init and edit.kind == "dropped statement" and isinstance(node, ast.Assign | ast.AnnAssign)):
                yield edit
        if _is_table(node):
            return
        words = isinstance(node, ast.Raise)
        for expression in _expressions(node):
            yield from self._expression(expression, words=words)

    def _expression(self, node: ast.AST, *, words: bool) -> Iterator[Edit]:
        """words: inside a raise, only the error's code is mutated; the rest is text for people."""
        if isinstance(node, ast.JoinedStr) or _is_type(node):
            return
        if isinstance(node, ast.keyword) and node.arg in _UNHEARD_KEYWORDS:
            return
        if not words or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield from edits(self._source, node, self._codes)
        for child in ast.iter_child_nodes(node):
            yield from self._expression(child, words=words)


def _is_left_alone(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Assert():
            return True
        case ast.Expr(value=ast.Constant()):
            return True  # a docstring, or ... in a protocol
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name in _LOGS:
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case ast.FunctionDef(name=name) if name in _SHOWN:
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) if name.startswith("__"):
            return True
    return False


def _is_table(node: ast.stmt) -> bool:
    """A literal of many numbers or names: tuned by eye or copied from a standard."""
    value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
    if not isinstance(value, ast.Dict | ast.Tuple | ast.List | ast.Set | ast.Call):
        return False
    return sum(isinstance(part, ast.Constant) for part in ast.walk(value)) >= TABLE


def _is_type(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        return isinstance(node.value, ast.Name) and node.value.id in _TYPES
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _TYPES


def _expressions(node: ast.stmt) -> list[ast.AST]:
    """Expressions that a statement evaluates itself: not its blocks, annotations, decorators or base classes."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return [*node.args.defaults, *(value for value in node.args.kw_defaults if value is not None)]
        case ast.ClassDef():
            return [
                word
                for word in node.keywords
                if isinstance(word.value, ast.Constant) and isinstance(word.value.value, str)
            ]
        case ast.AnnAssign():
            return [] if node.value is None else [node.value]
        case ast.Match():
            return [node.subject, *(case.guard for case in node.cases if case.guard is not None)]
        case ast.Try():
            return []
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt | ast.match_case)]


def _lines(node: ast.stmt) -> tuple[int, int]:
    """First and last line of a statement; of a compound statement, those of its header."""
    last = node.end_lineno or node.lineno
    if isinstance(node, ast.Match):
        return node.lineno, max([node.lineno, *(case.guard.lineno for case in node.cases if case.guard)])
    if isinstance(node, _HEADS):
        last = max(node.lineno, node.body[0].lineno - 1)
    return node.lineno, last
