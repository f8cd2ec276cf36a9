"""Where the voice listens when the caller does not say."""

from pathlib import Path

from mien.host.rundir import resolve_run_dir


def default_endpoint() -> str:
    """The local voice's socket."""
    return f"ipc://{Path(resolve_run_dir('')) / 'voice.sock'}"


def unreachable(endpoint: str, timeout_s: float) -> str:
    """What to tell a user when nothing answers at `endpoint`."""
    what = f"nothing answers at {endpoint} (waited {timeout_s:g} s)"
    if endpoint.startswith("ipc://"):
        if not Path(endpoint.removeprefix("ipc://")).exists():
            return (
                f"{what}: there is no such socket. Start mien with `mien run`, or on a board with "
                "`systemctl start mien-voice`; a voice elsewhere needs its endpoint, such as tcp://HOST:5570"
            )
        return f"{what}, though the socket is there. Is mien-voice running? `mien doctor` tells"
    return f"{what}. Is mien-voice running there, and does its [voice] listen name this address and port?"
