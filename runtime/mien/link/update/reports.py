"""What the server is told of each stage of an update."""

from typing import Any, Final

from msgspec import Struct

from mien.link.update.ddi import feedback
from mien.link.update.machine import EARLY
from mien.link.update.record import Record

_STAGES: Final = {
    "downloading": ("proceeding", "downloading {version}"),
    "waiting": ("downloaded", "downloaded; it waits for its window"),
    "draining": ("proceeding", "it waits until nobody is being served"),
    "installing": ("proceeding", "installing into the other slot"),
    "restarting": ("proceeding", "installed; the board restarts into the new slot"),
    "trial": ("proceeding", "the new release runs; it waits for a face seen, a turn heard and the slot marked good"),
}


class Report(Struct, frozen=True, kw_only=True):
    """stage: what `Record.told` becomes once the server has it. final: it closes the action."""

    stage: str
    body: dict[str, Any]
    final: bool = False


def report_of(record: Record, received: float = 0.0) -> Report | None:
    """What the server does not know yet. None: nothing. received: share of the bundle that is here, 0 to 1."""
    if record.phase == "closed":
        return _final(record)
    if record.phase == "waiting" and record.stream and not record.told:
        return _stage(record, "downloading", "proceeding", f"{record.version} will be streamed", None)
    execution, details = _STAGES.get(record.phase, ("", ""))
    if not execution or (record.phase == "waiting" and record.stream):
        return None
    if record.phase != "downloading":
        return _stage(record, record.phase, execution, details, None)
    tenths = min(9, int(received * 10))
    details = details.format(version=record.version) + (f": Downloaded {tenths}0%" if tenths else "")
    return _stage(record, f"downloading {tenths}", execution, details, (tenths, 10))


def _stage(record: Record, stage: str, execution: str, details: str, progress: tuple[int, int] | None) -> Report | None:
    if record.told == stage:
        return None
    return Report(stage=stage, body=feedback(record.action, execution, "none", details, progress))


def _final(record: Record) -> Report:
    finished = "success" if record.outcome == "good" else "failure"
    details = record.why or "the slot is marked good, a face was seen, a turn was heard"
    return Report(stage="closed", body=feedback(record.action, "closed", finished, details), final=True)


def cancel_answer(record: Record, identity: str, stop: str) -> dict[str, Any]:
    """The answer to a request to cancel: closed where nothing of that action runs, rejected where it is too late."""
    if record.action != stop or record.phase in (*EARLY, "idle"):
        return feedback(identity, "closed", "success", "nothing of it is installed")
    return feedback(identity, "rejected", "none", f"too late: {record.phase}")
