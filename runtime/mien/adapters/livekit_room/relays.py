"""Hands the agent in the room what staff relay to the kiosk."""

from __future__ import annotations

import json
from typing import Final, cast, get_args

from livekit import rtc

from mien.adapters.segments.link import VoiceLink
from mien.client import Relayed
from mien.core.wire import RelayOutcome
from mien.printable import one_line

METHOD: Final = "mien.relayed"
ANSWER_S: Final = 120.0  # a text to be said is answered once it was heard
NOBODY: Final = "no agent is in the room"


async def hand_on(room: rtc.Room | None, agent: str, relayed: Relayed, link: VoiceLink) -> None:
    """Call the agent, whose answer is the outcome: said, cut, kept or unused. Without an answer it is unused."""
    outcome, why = await _ask(room, agent, relayed)
    link.tell(lambda client: client.relay_done(relayed, outcome, one_line(why, 200)))


async def _ask(room: rtc.Room | None, agent: str, relayed: Relayed) -> tuple[RelayOutcome, str]:
    if room is None or not agent:
        return "unused", NOBODY
    payload = json.dumps({"kind": relayed.kind, "text": relayed.text, "from": relayed.sender})
    try:
        answer = await room.local_participant.perform_rpc(
            destination_identity=agent, method=METHOD, payload=payload, response_timeout=ANSWER_S
        )
    except rtc.RpcError as error:
        if error.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD:
            return "unused", f"the agent registers no RPC method {METHOD}"
        return "unused", f"the agent could not be told: {error.message}"
    if answer not in get_args(RelayOutcome):
        return "unused", f"the agent answered {answer!r}; it may answer {', '.join(get_args(RelayOutcome))}"
    return cast("RelayOutcome", answer), ""
