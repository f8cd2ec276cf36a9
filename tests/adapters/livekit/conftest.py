"""Voices for the tests of this adapter."""

import pytest

from adapters.livekit.kit import voice_process
from rigs.services import running_voice


@pytest.fixture
def endpoint(tmp_path):
    """A voice on the ideal device, in a thread."""
    with running_voice(tmp_path, voice={"progress_ms": 50}):
        yield f"ipc://{tmp_path}/voice.sock"


@pytest.fixture
def process(tmp_path):
    """A voice in a process of its own."""
    with voice_process(tmp_path) as voice:
        yield voice
