"""The rig's voice stack: mien's own client over the rig's connection to the board."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from hil.errors import RigError
from mien.client import Client, connect
from mien.errors import MienError

RATE_HZ = 48_000  # the sound card's rate: nothing is resampled, so sound can be compared sample by sample


class ClientStack:
    """endpoint: returns the voice's current endpoint. keys: (NAME.key_secret, voice.key) for network endpoints."""

    def __init__(
        self, endpoint: Callable[[], str], keys: tuple[Path, Path] | None = None, timeout_s: float = 10.0
    ) -> None:
        self._endpoint = endpoint
        self._keys = keys
        self._timeout_s = timeout_s

    def connect(self, role: Literal["speaker", "agent", "observer"] = "speaker") -> Client:
        """Open a session with mien-voice. Raises RigError if nothing answers."""
        secret, voice = self._keys or (None, None)
        try:
            return connect(
                self._endpoint(),
                rate_hz=RATE_HZ,
                timeout_s=self._timeout_s,
                name="rig",
                role=role,
                key=secret,
                voice_key=voice,
            )
        except MienError as error:
            raise RigError("voice stack", str(error)) from None
