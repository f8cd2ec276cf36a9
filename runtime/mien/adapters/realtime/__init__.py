"""A talking kiosk without a framework: a speech-to-speech service speaks through the voice.

Bridge       holds the conversation; needs websockets: pip install 'mien[realtime]'
DIALECTS     the protocols by name
Settings     what the service is asked for
Tools        the Python functions that the model may call
Heard        how one item was heard
"""

from typing import TYPE_CHECKING, Any

from mien.adapters.realtime.gemini_live import GeminiLive
from mien.adapters.realtime.items import Heard
from mien.adapters.realtime.openai_live import OpenAiLive
from mien.adapters.realtime.openai_realtime import OpenAiRealtime
from mien.adapters.realtime.service import Dialect, ServiceError, Settings
from mien.adapters.realtime.tools import Tools, load_tools
from mien.adapters.supported import require

if TYPE_CHECKING:
    from mien.adapters.realtime.bridge import Bridge

DIALECTS: dict[str, type[Dialect]] = {
    "openai-realtime": OpenAiRealtime,
    "openai-live": OpenAiLive,
    "gemini-live": GeminiLive,
}

__all__ = [
    "DIALECTS",
    "Bridge",
    "Dialect",
    "GeminiLive",
    "Heard",
    "OpenAiLive",
    "OpenAiRealtime",
    "ServiceError",
    "Settings",
    "Tools",
    "load_tools",
]


def __getattr__(name: str) -> Any:
    """The bridge alone needs websockets, so it is imported on demand. Raises ConfigError where that is missing."""
    if name != "Bridge":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("websockets", (14, 0), "realtime")
    from mien.adapters.realtime.bridge import Bridge

    return Bridge
