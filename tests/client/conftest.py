"""A served voice double on a local socket."""

import pytest

from rigs.voice_server import served_voice


@pytest.fixture
def endpoint(tmp_path):
    return f"ipc://{tmp_path}/voice.sock"


@pytest.fixture
def voice(endpoint):
    with served_voice(endpoint) as server:
        yield server
