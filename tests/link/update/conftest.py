"""A server, a board and a kiosk for an update."""

from collections.abc import Iterator

import pytest

from rigs.update_rig import DdiServer


@pytest.fixture
def server() -> Iterator[DdiServer]:
    found = DdiServer()
    yield found
    found.close()
