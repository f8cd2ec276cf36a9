"""The card that provisioning's tests put files onto."""

from pathlib import Path

import pytest

from rigs.card import Card


@pytest.fixture
def card(tmp_path: Path) -> Card:
    """Empty."""
    return Card(tmp_path)
