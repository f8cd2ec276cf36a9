"""The life of an update, as a pure function of what is known now.

    idle --offer--> downloading --whole--> waiting --window--> draining --empty--> installing --done--> restarting
                        '----------(RAUC streams)----^  ^--window shuts--'  ^--power cut--'                  | new start
                                                                                                             v
    idle <--told-- closed <------ failed, rolled back, good: slot marked good, face seen, turn heard ------ trial

Until the installation begins a cancelled or withdrawn action goes back to idle at any moment; from then on a request
to cancel is refused. `Record` is on the disk before anything that a phase wants is done, so that a power cut repeats a
step and never skips one.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from mien.link.update.board import BoardState, Inspection
from mien.link.update.ddi import Cancel, Deployment
from mien.link.update.record import Last, Outcome, Record

MAX_TRIES: Final = 3
MAX_STARTS: Final = 6
EARLY: Final = ("downloading", "waiting", "draining")


class Limits(Struct, frozen=True, kw_only=True):
    """max_bytes: of a bundle. good_within_s: after a start of the new slot."""

    max_bytes: int
    good_within_s: float


Offer: TypeAlias = Deployment | Literal["unknown"] | None


class Seen(Struct, frozen=True, kw_only=True):
    """What is known now.

    board: None while it cannot be asked. offer: None where the server has nothing, "unknown" while it does not answer.
    window: of link.toml. fetched: the whole bundle is there, and its digest is right. fetch_error: no attempt will do.
    inspection: None until the bundle was inspected.
    """

    board: BoardState | None = None
    offer: Offer = "unknown"
    cancel: Cancel | None = None
    window: bool = True
    drained: bool = False
    face: bool = False
    turn: bool = False
    fetched: bool = False
    fetch_error: str = ""
    inspection: Inspection | None = None
    limits: Limits


def advance(record: Record, seen: Seen) -> Record:
    """The next record; the same one where nothing changes. One transition a call."""
    if record.phase in EARLY:
        if seen.cancel and seen.cancel.stop == record.action:
            return _ended(record, "cancelled", "cancelled by the server")
        if seen.offer is None:
            return _ended(record, "cancelled", "withdrawn by the server")
        if isinstance(seen.offer, Deployment) and seen.offer.artifact != record.artifact:
            moved = replace(record, artifact=seen.offer.artifact)  # the same file elsewhere: links may expire
            return idle(record) if _differs(record, seen.offer) else moved
        if isinstance(seen.offer, Deployment) and seen.offer.action != record.action:
            return idle(record)
    step = _STEPS.get(record.phase)
    return step(record, seen) if step else record


def tag(record: Record) -> str:
    """The name of an installation, by which the board's answer is known to be of this one."""
    return f"{record.action}.{record.installs}"


def stage(record: Record) -> str:
    """As `status.update` tells it: of the update that is under way, or how the last one failed."""
    if record.phase == "closed":
        return record.outcome
    if record.phase != "idle":
        return record.phase
    return record.last.outcome if record.last and record.last.outcome in ("failed", "rolled_back") else ""


def told(record: Record, what: str) -> Record:
    """The record once the server knows this stage."""
    return replace(record, told=what)


def idle(record: Record) -> Record:
    """The record between two actions."""
    return Record(last=record.last, installs=record.installs)


def refused(record: Record, action: str, version: str, why: str) -> Record:
    """The record of an action that this board can never take."""
    return _closed(replace(idle(record), action=action, version=version), "failed", why)


def _differs(record: Record, offer: Deployment) -> bool:
    """Another action, or another bundle in it; an address may change, as tokens in it do."""
    held = record.artifact
    same = held and (held.sha256, held.sha1, held.size) == (
        offer.artifact.sha256,
        offer.artifact.sha1,
        offer.artifact.size,
    )
    return record.action != offer.action or not same


def _closed(record: Record, outcome: Outcome, why: str) -> Record:
    last = Last(action=record.action, version=record.version, outcome=outcome, why=why[:1000])
    return replace(record, phase="closed", outcome=outcome, why=why[:1000], last=last)


def _ended(record: Record, outcome: Outcome, why: str) -> Record:
    """Back to idle, with nothing for the server."""
    return replace(idle(record), last=Last(action=record.action, version=record.version, outcome=outcome, why=why))


def _idle(record: Record, seen: Seen) -> Record:
    offer = seen.offer
    if not isinstance(offer, Deployment) or not offer.may_download or seen.board is None:
        return record
    if seen.cancel and seen.cancel.stop == offer.action:
        return record
    fresh = replace(record, action=offer.action, version=offer.version, artifact=offer.artifact)
    if offer.artifact.size > seen.limits.max_bytes:
        sizes = f"{offer.artifact.size // 1_000_000} MB, and update.max_mb permits {seen.limits.max_bytes // 1_000_000}"
        return _closed(fresh, "failed", f"the bundle is too large: {sizes}")
    if seen.board.streams:
        return replace(fresh, phase="waiting", stream=True)
    return replace(fresh, phase="downloading")


def _downloading(record: Record, seen: Seen) -> Record:
    if seen.fetch_error:
        return _closed(record, "failed", seen.fetch_error)
    return replace(record, phase="waiting") if seen.fetched else record


def _waiting(record: Record, seen: Seen) -> Record:
    board, found = seen.board, seen.inspection
    if not record.stream and not seen.fetched:
        return replace(record, phase="downloading")
    if board is None or found is None:
        return record
    if found.why:
        return _closed(record, "failed", found.why)
    if found.build and (found.version, found.build) == (board.version, board.build):
        return replace(record, phase="trial", boot=board.boot, slot="", tries=0)  # an earlier record was lost
    return replace(record, phase="draining") if _may_install(seen) else record


def _may_install(seen: Seen) -> bool:
    return seen.window and isinstance(seen.offer, Deployment) and seen.offer.may_install


def _draining(record: Record, seen: Seen) -> Record:
    ready = record.stream or seen.fetched
    if not _may_install(seen) or not ready or seen.inspection is None or seen.inspection.why:
        return replace(record, phase="waiting")
    if not seen.drained or seen.board is None:
        return record
    begun = replace(record, phase="installing", boot=seen.board.boot, slot=seen.board.slot)
    return replace(begun, tries=record.tries + 1, installs=record.installs + 1)


def _installing(record: Record, seen: Seen) -> Record:
    board = seen.board
    if board is None:
        return record
    if board.boot != record.boot:
        if board.slot != record.slot:  # the power was cut between the end of the installation and our restart
            return _on_trial(record, board)
        if record.tries >= MAX_TRIES:
            return _closed(record, "failed", f"the board started again in each of {MAX_TRIES} installations")
        return replace(record, phase="waiting")
    if board.install.tag != tag(record):
        return record
    if board.install.state == "done":
        return replace(record, phase="restarting")
    if board.install.state == "failed":
        if record.stream and "range" in board.install.why:
            return replace(record, phase="downloading", stream=False)
        return _closed(record, "failed", board.install.why or "the installation failed")
    return record


def _on_trial(record: Record, board: BoardState) -> Record:
    return replace(record, phase="trial", boot=board.boot, tries=1, face=False, turn=False)


def _restarting(record: Record, seen: Seen) -> Record:
    board = seen.board
    if board is None or board.boot == record.boot:
        return record
    if board.slot == record.slot:
        return _closed(record, "rolled_back", "the board started its previous release again")
    return _on_trial(record, board)


def _trial(record: Record, seen: Seen) -> Record:
    board = seen.board
    if board is None:
        return record
    if board.slot == record.slot:
        return _closed(record, "rolled_back", f"the new release was not good: no {_missing(record, False)}")
    if board.boot != record.boot:
        if record.tries >= MAX_STARTS:
            return _closed(record, "failed", f"not good after {MAX_STARTS} starts: no {_missing(record, board.good)}")
        return replace(record, boot=board.boot, tries=record.tries + 1, face=False, turn=False)
    if (seen.face, seen.turn) != (record.face, record.turn) and (seen.face or seen.turn):
        shown = replace(record, face=record.face or seen.face, turn=record.turn or seen.turn)
        if shown != record:
            return shown
    if not (missing := _missing(record, board.good)):
        return _closed(record, "good", "")
    if board.up_s > seen.limits.good_within_s:
        return _closed(record, "failed", f"within {seen.limits.good_within_s:.0f} s there was no {missing}")
    return record


def _missing(record: Record, good: bool) -> str:
    """What the new slot has not shown, in words."""
    wanted = (("slot that is marked good", good), ("face seen", record.face), ("turn heard", record.turn))
    return ", ".join(what for what, there in wanted if not there)


_STEPS: Final = {
    "idle": _idle,
    "downloading": _downloading,
    "waiting": _waiting,
    "draining": _draining,
    "installing": _installing,
    "restarting": _restarting,
    "trial": _trial,
}
