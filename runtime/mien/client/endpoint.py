"""The default endpoint, with advice for one that does not answer."""

from pathlib import Path

from mien.host.rundir import resolve_run_dir
from mien.transport import voice_endpoint


def default_endpoint() -> str:
    """The local voice's endpoint."""
    return voice_endpoint(resolve_run_dir(""))


def unreachable(endpoint: str, timeout_s: float) -> str:
    """The error message for an endpoint that did not answer within timeout_s."""
    what = f"nothing answers at {endpoint} (waited {timeout_s:g} s)"
    if endpoint.startswith("ipc://"):
        if not Path(endpoint.removeprefix("ipc://")).exists():
            return (
                f"{what}: there is no such socket. Start mien with `mien run`, or on a board with "
                "`systemctl start mien-voice`; for a voice elsewhere, name its endpoint, such as tcp://HOST:5570"
            )
        return f"{what}, although the socket exists. Is mien-voice running? Run `mien doctor` to check"
    return f"{what}. Is mien-voice running there, and does its voice.listen include this address and port?"
