"""The exception of a command that cannot be carried out."""

from typing import Final

from mien.errors import ClientError, FleetError
from mien.fleet.command import Refusal

_OF_THE_VOICE: Final = {
    "floor_taken": "floor_taken",
    "floor_not_held": "floor_not_held",
    "no_call": "no_call",
    "no_speaker": "no_speaker",
    "unreachable": "no_voice",
    "closed": "no_voice",
    "not_allowed": "not_allowed_here",
    "no_thumbnail": "unavailable",
    "unknown_message": "unavailable",
    "rate_limited": "busy",
}


class RefusedError(FleetError):
    """code: as in `mien.fleet.command.Refusal`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.refusal = Refusal(code=code, message=message)


def of_the_voice(error: ClientError) -> RefusedError:
    """What the voice's refusal means to a user."""
    return RefusedError(_OF_THE_VOICE.get(error.code, "failed"), str(error))
