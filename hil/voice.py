"""The voice stack that a rig plays: mien's own client, over whatever way the rig has to the board."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from hil.errors import RigError
from mien.client import Client, connect
from mien.errors import MienError

RATE_HZ = 48_000  # the sound card's: nothing is resampled on the way, and what is heard can be compared by the sample


class ClientStack:
    """endpoint: where the voice is now. keys: (NAME.key_secret, voice.key) for an endpoint on the network."""

    def __init__(
        self, endpoint: Callable[[], str], keys: tuple[Path, Path] | None = None, timeout_s: float = 10.0
    ) -> None:
        self._endpoint = endpoint
        self._keys = keys
        self._timeout_s = timeout_s

    def connect(self, role: Literal["speaker", "agent", "observer"] = "speaker") -> Client:
        """A session with mien-voice. Raises RigError when nobody answers."""
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
