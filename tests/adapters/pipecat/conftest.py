"""A voice for the pipeline."""

import pytest

from rigs.services import running_voice


@pytest.fixture
def voice(tmp_path):
    with running_voice(tmp_path, rate_hz=24000) as service:
        yield service


@pytest.fixture
def endpoint(voice):
    return voice.endpoints[-1]
