"""The tools of a conversation: the public functions of one Python file."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import json
import types
import typing
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from mien.errors import ConfigError

TIMEOUT_S: Final = 30.0
_KINDS: Final[dict[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Tools:
    """Functions that the model may call.

    The name, the docstring and the annotated parameters (str, int, float, bool, lists of these, each with or without a
    default) are what the model is told. A function may be a coroutine; any other runs in a thread. Whatever it returns
    is sent as JSON. An exception, a call with wrong arguments or one that takes longer than timeout_s is told to the
    model, which can say so to the customer. Raises ConfigError for a parameter whose type cannot be described.
    """

    def __init__(self, functions: Iterable[Callable[..., Any]] = (), timeout_s: float = TIMEOUT_S) -> None:
        self._functions = {function.__name__: function for function in functions}
        self._schemas = [_schema(function) for function in self._functions.values()]
        self._timeout_s = timeout_s

    def schemas(self) -> list[dict[str, Any]]:
        """What the model is told: name, description, parameters."""
        return self._schemas

    async def call(self, name: str, arguments: str) -> str:
        """Run a tool. arguments: a JSON object. Returns JSON; an object with `error` when the tool failed."""
        function = self._functions.get(name)
        if function is None:
            return _failure(f"there is no tool '{name}'; there are: {', '.join(self._functions) or 'none'}")
        try:
            given = json.loads(arguments or "{}")
            bound = inspect.signature(function).bind(**given)
        except (ValueError, TypeError) as error:
            return _failure(f"wrong arguments for {name}: {error}")
        try:
            async with asyncio.timeout(self._timeout_s):
                return json.dumps(await _run(function, bound), ensure_ascii=False, default=str)
        except TimeoutError:
            return _failure(f"{name} did not answer within {self._timeout_s:g} s")
        except Exception as error:  # a tool of the kiosk's owner may raise anything; the conversation goes on
            return _failure(f"{name} failed: {type(error).__name__}: {error}")


def load_tools(path: Path) -> Tools:
    """The public functions that a file defines itself. Raises ConfigError when it cannot be run or has none."""
    spec = importlib.util.spec_from_file_location("mien_tools", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError(f"--tools {path}: there is no such Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ConfigError(f"--tools {path} cannot be run: {type(error).__name__}: {error}") from error
    functions = [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value) and not name.startswith("_") and value.__module__ == "mien_tools"
    ]
    if not functions:
        raise ConfigError(f"--tools {path} defines no public function")
    return Tools(functions)


async def _run(function: Callable[..., Any], bound: inspect.BoundArguments) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(*bound.args, **bound.kwargs)
    return await asyncio.to_thread(function, *bound.args, **bound.kwargs)


def _failure(why: str) -> str:
    return json.dumps({"error": why}, ensure_ascii=False)


def _schema(function: Callable[..., Any]) -> dict[str, Any]:
    name = function.__name__
    hints = typing.get_type_hints(function)
    properties, required = {}, []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ConfigError(f"the tool {name}: '{parameter.name}' must be an ordinary or a keyword-only parameter")
        properties[parameter.name] = _described(hints.get(parameter.name, str), f"{name}.{parameter.name}")
        if parameter.default is parameter.empty:
            required.append(parameter.name)
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"name": name, "description": inspect.getdoc(function) or "", "parameters": parameters}


def _described(kind: Any, where: str) -> dict[str, Any]:
    if kind in _KINDS:
        return {"type": _KINDS[kind]}
    origin, inner = typing.get_origin(kind), [each for each in typing.get_args(kind) if each is not type(None)]
    if origin is list and len(inner) == 1:
        return {"type": "array", "items": _described(inner[0], where)}
    if origin is typing.Literal:
        return {"type": "string", "enum": [str(each) for each in inner]}
    if origin in (typing.Union, types.UnionType) and len(inner) == 1:
        return _described(inner[0], where)
    raise ConfigError(f"the tool parameter {where} has the type {kind}; use str, int, float, bool, Literal or a list")
