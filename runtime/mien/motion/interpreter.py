"""The interpreter that runs the motion model: LiteRT or tflite-runtime, whichever is installed."""

import importlib
import importlib.util
import platform
from dataclasses import dataclass
from importlib import metadata
from typing import Any, NamedTuple

from mien.errors import ModelError


@dataclass(frozen=True, slots=True)
class Runtime:
    """A package with an interpreter. Both have the same API."""

    name: str
    distribution: str
    module: str


LITERT = Runtime("LiteRT", "ai-edge-litert", "ai_edge_litert.interpreter")
TFLITE_RUNTIME = Runtime("tflite-runtime", "tflite-runtime", "tflite_runtime.interpreter")

# In order of preference. LiteRT takes a third less time. tests/contracts/test_motion.py says how far they may differ.
RUNTIMES = (LITERT, TFLITE_RUNTIME)


class Opened(NamedTuple):
    """An allocated interpreter. name: of its package, with the version, as in "LiteRT 2.3.0"."""

    interpreter: Any
    name: str


def open_interpreter(model: bytes, *, runtimes: tuple[Runtime, ...] = RUNTIMES) -> Opened:
    """An allocated interpreter for the bytes of a TFLite file, from the first of `runtimes` that can be imported.

    It has one thread, because two never helped a network of this size. Raises ModelError when no runtime can be
    imported or the bytes are not a model that it can run.
    """
    reasons = []
    for runtime in runtimes:
        try:
            module = importlib.import_module(runtime.module)
        except ImportError as error:
            reasons.append(f"{runtime.module}: {error}")
            continue
        return Opened(_allocated(module, runtime, model), f"{runtime.name} {_version(runtime)}".rstrip())
    raise ModelError(f"no TFLite runtime can be imported ({'; '.join(reasons)}); {interpreter_remedy()}")


def installed_interpreter() -> str:
    """The name of the runtime that open_interpreter would try first, with its version, as in "LiteRT 2.3.0"."""
    for runtime in RUNTIMES:
        if importlib.util.find_spec(runtime.module.partition(".")[0]):
            return f"{runtime.name} {_version(runtime)}".rstrip()
    return "none"


def _allocated(module: Any, runtime: Runtime, model: bytes) -> Any:
    try:
        interpreter = module.Interpreter(model_content=model, num_threads=1)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"{runtime.module} cannot run the motion model: {error}; make it again with `make model`"
        ) from error
    except (ImportError, SystemError) as error:  # tflite-runtime beside numpy 2 raises SystemError, from ImportError
        raise ModelError(
            f"{runtime.name} does not work with the numpy that is installed: {error}; install mien into an empty "
            "environment, where pip chooses versions that fit"
        ) from error
    return interpreter


def _version(runtime: Runtime) -> str:
    try:
        return metadata.version(runtime.distribution)
    except metadata.PackageNotFoundError:  # installed without pip
        return ""


def interpreter_remedy() -> str:
    """Which runtime to install on this machine, or which machines have one."""
    machine = platform.machine()
    if machine in ("x86_64", "aarch64"):
        return "install tflite-runtime (Python 3.11) or ai-edge-litert"
    if machine == "armv7l":
        return "install tflite-runtime, which needs Python 3.11 on this architecture"
    return f"there is none for {machine}, but for x86_64 and aarch64, and for armv7l with Python 3.11"
