"""Which bugs are put into a file, and which words, types and imports are left alone."""

import ast
from pathlib import Path

import pytest

from mutants import python, shell
from mutants.source import Mutation, Source
from mutants.targets import PACKAGES, ROOT

CODES = frozenset({"say", "agent"})


def found(text: str) -> list[Mutation]:
    return list(python.mutations("core", Source("a.py", text.encode()), CODES))


def lines(text: str) -> set[str]:
    """What the (single) changed lines become."""
    return {one.after for one in found(text)}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = a >= b", {"x = a > b"}),
        ("x = a == b != c", {"x = a != b != c", "x = a == b == c"}),
        ("x = a is not None", {"x = a is None"}),
        ("x = a not in b", {"x = a in b"}),
        ("x = a + b", {"x = a - b"}),
        ("x = (a) - (b)", {"x = (a) + (b)"}),
        ("x = a // b", {"x = a * b"}),
        ("x = a and b", {"x = a or b", "x = ((a))", "x = ((b))"}),
        ("x = a or b or c", {"x = a and b or c", "x = ((b) or (c))", "x = ((a) or (c))", "x = ((a) or (b))"}),
        ("x = not a", {"x = a"}),
        ("x = -a", {"x = a"}),
        ("x = min(a, b)", {"x = max(a, b)"}),
        ("x = np.maximum(a, b)", {"x = np.minimum(a, b)"}),
        ("x = abs(a)", {"x = (a)"}),
        ("x = math.ceil(a)", {"x = math.floor(a)"}),
        ("x = 0", {"x = 1"}),
        ("x = 1", {"x = 2", "x = 0"}),
        ("x = 8", {"x = 9", "x = 7", "x = 80"}),
        ("x = 2000", {"x = 20000"}),
        ("x = 0.5", {"x = 5.0", "x = 0.05"}),
        ("x = 0o600", {"x = 0o666"}),
        ("x = True", {"x = False"}),
        ("x = 'say'", {"x = 'say_x'"}),
        ("x = 'floor_taken'", {"x = 'floor_taken_x'"}),
        ("x = 'some words'", set()),
        ("a.x = b", {"pass"}),
        ("a(b)", {"pass"}),
        ("del a[b]", {"pass"}),
        ("a += b", {"a -= b", "pass"}),
        ("x = [a for a in b if a.c]", {"x = [a for a in b if True]"}),
        ("x = a if b else c", {"x = a if True else c", "x = a if False else c"}),
    ],
)
def test_an_expression_is_changed_as_a_tired_hand_would(text: str, becomes: set[str]) -> None:
    assert lines(text) == becomes


@pytest.mark.parametrize(
    ("body", "becomes"),
    [
        ("    if a:\n        return\n", {"if False:"}),
        ("    if a:\n        b = c\n", {"if False:", "if True:"}),
        ("    return a\n", {"return None"}),
        (
            "    raise ProtocolError('not_here', f'of {a + 1}', at=2)\n",
            {"pass", "raise ProtocolError('not_here_x', f'of {a + 1}', at=2)"},
        ),
        ("    while a:\n        break\n", {"continue"}),
        ("    while a:\n        continue\n", {"break"}),
    ],
)
def test_a_statement_loses_what_it_does(body: str, becomes: set[str]) -> None:
    assert lines(f"def f():\n{body}") == becomes


@pytest.mark.parametrize(
    "text",
    [
        '"""One word."""', "import a.b", "from a import b", "x: Literal['say']", "assert a < 1", "__all__ = ['say']",
        "log.info('say', 1)", "if TYPE_CHECKING:\n    x = 1", "def __repr__(self):\n    return 1 + a",
        "def f(a: 'say' = b) -> 'agent': ...", "x = f'{a + 1}'", "@f(1)\ndef g(): ...", "class A(b[1]): ...",
        "x = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6}", "f = cast('say', a)",
    ],
)  # fmt: skip
def test_words_types_imports_and_tables_are_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_setting_that_a_constructor_makes_is_not_dropped_but_changed() -> None:
    text = "class A:\n    def __init__(self):\n        self.x = 1\n        self.y()\n"
    assert lines(text) == {"self.x = 2", "self.x = 0", "pass"}


def test_places_count_bytes_and_pass_comments_over() -> None:
    text = "x = ('é', a)[1]\ny = (a  # <, not <=\n     < b)\n"
    assert {(one.line, one.edit.kind) for one in found(text)} == {(1, "constant"), (3, "comparison")}
    changed = next(one for one in found(text) if one.line == 3).edit.apply(text.encode()).decode()
    assert changed.splitlines()[1:] == ["y = (a  # <, not <=", "     <= b)"]


def test_every_mutation_is_python_and_differs() -> None:
    """Of a file that has something of everything: the tool's own."""
    data = Path(python.__file__).read_bytes()
    for one in list(python.mutations("core", Source("python.py", data), CODES))[::4]:
        changed = one.edit.apply(data)
        assert changed != data
        ast.parse(changed)


def test_what_an_import_runs_is_told_apart_with_the_lines_of_its_statement() -> None:
    text = "a = 8\n\ndef f(b=0):\n    if (b\n            > 3):\n        return\n"
    told = {(one.before, one.at_import, one.lines) for one in found(text) if one.edit.kind != "dropped check"}
    assert told == {("a = 8", True, (1, 1)), ("def f(b=0):", True, (3, 3)), ("> 3):", False, (4, 5))}


def test_a_shell_script_loses_guards_checks_and_commands() -> None:
    text = (
        b"#!/bin/sh\n# sleep 1 || true\nlog=$(cat x 2>/dev/null || true)\n"
        b"if [ -w y ]; then sleep 1; fi\nsystemctl stop z\n"
    )
    after = {(one.line, one.after) for one in shell.mutations("failure-note", "note", text)}
    assert {line for line, _ in after} == {3, 4, 5}
    assert {
        (3, "log=$(cat x || true)"), (3, "log=$(cat x 2>/dev/null)"), (4, "if true; then sleep 1; fi"),
        (4, "if false; then sleep 1; fi"), (4, "if [ -w y ]; then sleep 0; fi"), (5, ":"),
    } <= after  # fmt: skip


def test_every_file_of_a_package_is_mutated_also_those_that_it_was_split_into() -> None:
    provisioning = (ROOT / "firmware_scripts/overlay/usr/lib/mien/provisioning").glob("*.py")
    expected = {str(path.relative_to(ROOT)) for path in provisioning if path.name != "__init__.py"}
    assert len(expected) > 5
    assert expected < set(PACKAGES["provision"].files())
    for name, package in PACKAGES.items():
        for pattern in package.sources:
            assert list(ROOT.glob(pattern)), f"{name}: no file is {pattern}"
