"""Loads pyalsaaudio with alsa-lib's own messages silenced."""

import ctypes
import functools
import importlib
import logging
from types import ModuleType
from typing import Final

log = logging.getLogger(__name__)

_ERROR_HANDLER: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)
"""snd_lib_error_handler_t (alsa/error.h), without its variadic arguments."""


def load_alsa() -> ModuleType:
    """The module alsaaudio. Raises ImportError, whose message carries the remedy."""
    try:
        alsa = importlib.import_module("alsaaudio")
    except ImportError as error:
        raise ImportError(f"pyalsaaudio cannot be loaded ({error}); run pip install 'mien[board]'") from None
    _quieten_alsa_lib()
    return alsa


def _log_alsa_error(_file: bytes, _line: int, function: bytes, _code: int, text: bytes) -> None:
    log.debug("alsa-lib: %s: %s", function.decode(), text.decode(errors="replace"))


@functools.cache
def _quieten_alsa_lib() -> object:
    """Silence alsa-lib, which writes up to ten lines to stderr for a missing card; the exception is enough.

    Returns the error handler, which must live as long as the process.
    """
    try:
        handler = _ERROR_HANDLER(_log_alsa_error)
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(handler)
    except (OSError, AttributeError, MemoryError) as error:  # MemoryError: executable memory is denied
        log.debug("alsa-lib still logs to stderr: %s", error)
        return None
    return handler
