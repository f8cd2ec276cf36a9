"""The client of mien-voice: hand it speech, and learn what was heard.

    connect         a Client for programs without an event loop, safe for threads     (sync.py, syncturn.py)
    connect_async   an AsyncClient for asyncio                                        (aio.py, aioturn.py)

Both are thin over one pure session (core.py, ledger.py, credit.py); link.py holds the socket.
"""

from mien.client.aio import AsyncClient, connect_async
from mien.client.aioturn import AsyncTurn
from mien.client.core import Disconnected, Event
from mien.client.sync import Client, connect
from mien.client.syncturn import Turn
from mien.core.wire import (
    Error,
    Finished,
    Interrupted,
    LevelChanged,
    Progress,
    Rebuffered,
    Resumed,
    Stalled,
    Started,
    Welcome,
)
from mien.errors import ClientError

__all__ = [
    "AsyncClient",
    "AsyncTurn",
    "Client",
    "ClientError",
    "Disconnected",
    "Error",
    "Event",
    "Finished",
    "Interrupted",
    "LevelChanged",
    "Progress",
    "Rebuffered",
    "Resumed",
    "Stalled",
    "Started",
    "Turn",
    "Welcome",
    "connect",
    "connect_async",
]
