"""Which TFLite runtime runs the model: tflite-runtime where it has wheels, else its successor ai-edge-litert.

Both have the same API; they differ by up to 3 LSB in int8 results.
"""

import importlib
from pathlib import Path
from typing import Any

from mien.errors import ModelError

RUNTIMES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")


def open_interpreter(model: bytes, *, runtimes: tuple[str, ...] = RUNTIMES) -> Any:
    """An allocated one-threaded interpreter over the bytes of a TFLite file.

    One thread, because two never helped a network of this size. Raises ModelError when no runtime can be imported or
    when the bytes are no model that it can run.
    """
    reasons = []
    for name in runtimes:
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            reasons.append(f"{name}: {error}")
            continue
        try:
            interpreter = module.Interpreter(model_content=model, num_threads=1)
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{name} cannot run the motion model: {error}; make it again with `make model`") from error
        return interpreter
    raise ModelError(
        "no TFLite runtime can be imported (" + "; ".join(reasons) + "); install tflite-runtime or ai-edge-litert"
    )


def read_model(path: Path) -> bytes:
    """The bytes of a model file. Raises ModelError when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the motion model cannot be read: {error.strerror}") from error
