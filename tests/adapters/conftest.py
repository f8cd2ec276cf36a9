"""Which adapters this environment can test: those whose framework is installed."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from mien.adapters import guide
from mien.client import AsyncTurn
from mien.client.phones import TimedPhones

FRAMEWORKS = {
    "http": "aiohttp",
    "livekit": "livekit.agents",
    "livekit_room": "livekit.rtc",
    "pipecat": "pipecat",
    "realtime": "openai",
    "wyoming": "wyoming",
}


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


ABSENT = sorted(name for name, module in FRAMEWORKS.items() if not _installed(module))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out a folder whose framework is not installed: `make test-adapters` runs each in its own environment."""
    in_folders = collection_path.is_dir() and collection_path.parent == Path(__file__).parent
    return True if in_folders and collection_path.name in ABSENT else None


def pytest_report_header() -> list[str]:
    """Name what is left out."""
    return [f"adapters left to `make test-adapters`: {', '.join(ABSENT)}"] if ABSENT else []


@pytest.fixture
def guided(monkeypatch) -> list[TimedPhones]:
    """What turns are told to sound like: each word as its own phones, so that espeak-ng is not needed."""
    told: list[TimedPhones] = []

    async def phones(_, words):
        told.extend(words)

    monkeypatch.setattr(AsyncTurn, "phones", phones)
    monkeypatch.setattr(guide, "phones_of_text", lambda text, _: [TimedPhones(word) for word in text.split()])
    monkeypatch.setattr(guide, "phones_of_words", lambda words, _: [TimedPhones(*word) for word in words])
    return told
