"""Mutation operators: plausible mistakes for each kind of syntax node."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

from mutants.source import Edit, Source

_COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
}
_COMPUTED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
}
_CALLED = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "ceil": "floor",
    "floor": "ceil",
    "minimum": "maximum",
    "maximum": "minimum",
    "popleft": "pop",
    "appendleft": "append",
    "argmin": "argmax",
    "argmax": "argmin",
}
_UNWRAPPED = {"abs", "reversed", "sorted"}
MOST_COUNTED = 20  # larger numbers are measured or tuned: off by one is no bug, ten times is
_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_TEXT = (ast.Constant, ast.JoinedStr, ast.List, ast.Tuple)
_MODES = {
    "0o600": "0o666",
    "0o640": "0o644",
    "0o644": "0o666",
    "0o660": "0o666",
    "0o700": "0o777",
    "0o750": "0o777",
    "0o755": "0o777",
    "0o400": "0o444",
    "0o440": "0o444",
    "0o077": "0o022",
    "0o177": "0o133",
}


def edits(source: Source, node: ast.AST, codes: frozenset[str]) -> Iterator[Edit]:
    """All edits of this node, without its children. codes: the protocol's words."""
    if isinstance(node, ast.Constant):
        yield from _constant(source, node, codes)
        return
    make = _KINDS.get(type(node))
    if make is not None:
        yield from make(source, node)


def _compare(source: Source, node: ast.Compare) -> Iterator[Edit]:
    left: ast.expr = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        written, instead = _COMPARED[type(op)]
        yield from _swap(source, "comparison", left, right, written, instead)
        left = right


def _binary(source: Source, node: ast.BinOp) -> Iterator[Edit]:
    if type(node.op) in _COMPUTED and not any(_is_text(side) for side in (node.left, node.right)):
        yield from _swap(source, "arithmetic", node.left, node.right, *_COMPUTED[type(node.op)])


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, _TEXT) and not (isinstance(node, ast.Constant) and isinstance(node.value, int | float))


def _augmented(source: Source, node: ast.AugAssign) -> Iterator[Edit]:
    if type(node.op) in _COMPUTED and not _is_text(node.value):
        yield from _swap(source, "arithmetic", node.target, node.value, *_COMPUTED[type(node.op)])
    yield from _dropped(source, node)


def _swap(source: Source, kind: str, left: ast.expr, right: ast.expr, written: str, instead: str) -> Iterator[Edit]:
    place = source.token(source.end(left), source.start(right), written)
    if place is not None:
        yield Edit(kind, *place, instead)


def _boolean(source: Source, node: ast.BoolOp) -> Iterator[Edit]:
    word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    yield from _swap(source, "and/or", node.values[0], node.values[1], rf"\b{word}\b", other)
    for gone in range(len(node.values)):
        kept = [f"({source.text(value)})" for place, value in enumerate(node.values) if place != gone]
        yield Edit("half a condition", source.start(node), source.end(node), f"({f' {word} '.join(kept)})")


def _unary(source: Source, node: ast.UnaryOp) -> Iterator[Edit]:
    start = source.start(node)
    if isinstance(node.op, ast.Not):
        yield Edit("not", start, start + 3, "")
    elif isinstance(node.op, ast.USub):
        yield Edit("sign", start, start + 1, "")


def _if(source: Source, node: ast.If) -> Iterator[Edit]:
    yield Edit("dropped check", source.start(node.test), source.end(node.test), "False")
    if node.orelse or not isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break):
        yield Edit("dropped check", source.start(node.test), source.end(node.test), "True")


def _if_expression(source: Source, node: ast.IfExp) -> Iterator[Edit]:
    for value in ("True", "False"):
        yield Edit("dropped check", source.start(node.test), source.end(node.test), value)


def _comprehension(source: Source, node: ast.comprehension) -> Iterator[Edit]:
    for check in node.ifs:
        yield Edit("dropped check", source.start(check), source.end(check), "True")


def _call(source: Source, node: ast.Call) -> Iterator[Edit]:
    name, end = _name(source, node.func)
    if name in _CALLED and not (name in ("min", "max") and isinstance(node.func, ast.Attribute) and not node.args):
        yield Edit("min/max" if "m" in name else "call", end - len(name), end, _CALLED[name])
    elif name in ("min", "max"):
        yield Edit("min/max", end - len(name), end, _CALLED[name])
    if name in _UNWRAPPED and len(node.args) == 1:
        yield Edit("call", source.start(node), source.end(node), f"({source.text(node.args[0])})")


def _name(source: Source, func: ast.expr) -> tuple[str, int]:
    name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
    return name, source.end(func)


def _expression(source: Source, node: ast.Expr) -> Iterator[Edit]:
    if isinstance(node.value, ast.Call | ast.Await):
        yield from _dropped(source, node)


def _assign(source: Source, node: ast.Assign | ast.AnnAssign) -> Iterator[Edit]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets):
        yield from _dropped(source, node)


def _dropped(source: Source, node: ast.stmt) -> Iterator[Edit]:
    yield Edit("dropped statement", source.start(node), source.end(node), "pass")


def _return(source: Source, node: ast.Return) -> Iterator[Edit]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield Edit("return value", source.start(node.value), source.end(node.value), "None")


def _break(source: Source, node: ast.Break) -> Iterator[Edit]:
    yield Edit("break/continue", source.start(node), source.end(node), "continue")


def _continue(source: Source, node: ast.Continue) -> Iterator[Edit]:
    yield Edit("break/continue", source.start(node), source.end(node), "break")


def _constant(source: Source, node: ast.Constant, codes: frozenset[str]) -> Iterator[Edit]:
    start, end, value = source.start(node), source.end(node), node.value
    if isinstance(value, bool):
        yield Edit("constant", start, end, str(not value))
    elif isinstance(value, int | float):
        for text in _other_numbers(source.text(node), value):
            yield Edit("constant", start, end, text)
    elif isinstance(value, str) and (value in codes or _CODE.fullmatch(value)):
        yield Edit("protocol code", end - 1, end - 1, "_x")


def _other_numbers(text: str, value: float) -> list[str]:
    if text in _MODES:
        return [_MODES[text]]
    if isinstance(value, float):
        return [repr(value * 10), repr(value / 10)] if value else ["1.0"]
    ten = [f"{value * 10}"] if value >= 2 else []
    if value >= MOST_COUNTED:
        return ten
    return [f"{value + 1}", *([f"{value - 1}"] if value else []), *ten]


_KINDS: dict[type[ast.AST], Callable[[Source, Any], Iterator[Edit]]] = {
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.AugAssign: _augmented,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.If: _if,
    ast.IfExp: _if_expression,
    ast.comprehension: _comprehension,
    ast.Call: _call,
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _assign,
    ast.Delete: _dropped,
    ast.Raise: _dropped,
    ast.Return: _return,
    ast.Break: _break,
    ast.Continue: _continue,
}
