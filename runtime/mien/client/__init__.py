"""The client of mien-voice: send speech, learn what was heard.

    connect         a thread-safe Client for programs without an event loop    (sync.py)
    connect_async   an AsyncClient for asyncio                                 (aio.py)

Client runs AsyncClient in a background thread. AsyncClient connects a pure protocol state (_session.py, _transmit.py)
with a socket (_link.py). Every event class that a client can receive is exported here.
"""

from mien.client._session import Disconnected, Event, Heard, HeardSpeech, Live, NearEnd, Poses
from mien.client.aio import AsyncClient, AsyncTurn, connect_async
from mien.client.sync import Client, Turn, connect
from mien.core.wire import (
    BargeIn,
    Call,
    CallAnswered,
    Chosen,
    Draining,
    Ear,
    Error,
    Finished,
    Floor,
    HealthReport,
    Interrupted,
    LevelChanged,
    Levels,
    Offered,
    Outcome,
    Presence,
    Progress,
    Rebuffered,
    RelayDone,
    Relayed,
    RelayTaken,
    Resumed,
    Said,
    Stalled,
    Started,
    Status,
    Thumbnail,
    UserStarted,
    UserStopped,
    Visit,
    Welcome,
)
from mien.errors import ClientError

__all__ = [
    "AsyncClient",
    "AsyncTurn",
    "BargeIn",
    "Call",
    "CallAnswered",
    "Chosen",
    "Client",
    "ClientError",
    "Disconnected",
    "Draining",
    "Ear",
    "Error",
    "Event",
    "Finished",
    "Floor",
    "HealthReport",
    "Heard",
    "HeardSpeech",
    "Interrupted",
    "LevelChanged",
    "Levels",
    "Live",
    "NearEnd",
    "Offered",
    "Outcome",
    "Poses",
    "Presence",
    "Progress",
    "Rebuffered",
    "RelayDone",
    "RelayTaken",
    "Relayed",
    "Resumed",
    "Said",
    "Stalled",
    "Started",
    "Status",
    "Thumbnail",
    "Turn",
    "UserStarted",
    "UserStopped",
    "Visit",
    "Welcome",
    "connect",
    "connect_async",
]
