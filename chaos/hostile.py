"""Entry point of a hostile client, a process of its own: python -m chaos.hostile ORDER, where ORDER is JSON.

ORDER is {"kind": ..., "args": {...}, "doors": {...}}. Prints one line of JSON with notes and violations. Everything it
does is bounded, and it connects to loopback and local sockets only.
"""

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chaos.zmtp import Gone, Peer

Address = tuple[str, int] | str


@dataclass(slots=True)
class Order:
    """doors: addresses by socket name. keys: paths of key files. args: of the act. notes, wrong: the result."""

    args: dict[str, Any]
    doors: dict[str, Any]
    notes: dict[str, Any] = field(default_factory=dict)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)

    def door(self) -> Address:
        """The target address of the act."""
        return self.address(self.args["where"])

    def address(self, name: str) -> Address:
        """A socket's address. Raises ValueError for addresses beyond this machine."""
        found = self.doors[name]
        if isinstance(found, str):
            return found
        host, port = found
        if not host.startswith("127."):
            raise ValueError(f"{host} is not loopback")
        return host, int(port)

    def count(self, name: str, amount: int = 1) -> None:
        """Count an event in the notes."""
        self.notes[name] = self.notes.get(name, 0) + amount

    def connect(self, where: str | None = None, *, receive_bytes: int = 0) -> Peer | None:
        """Connect; None on failure, which is counted."""
        try:
            peer = Peer(self.door() if where is None else self.address(where), receive_bytes=receive_bytes)
        except Gone:
            self.count("not connected")
            return None
        self.count("connected")
        return peer


Act = Callable[[Order], None]


def main() -> None:
    """Execute the order."""
    from chaos import hostile_bus, hostile_bytes, hostile_keys, hostile_messages

    text = json.loads(sys.argv[1])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard < 4096 and hard > 0 else max(soft, 4096), hard))
    acts: dict[str, Act] = {**hostile_bytes.ACTS, **hostile_messages.ACTS, **hostile_bus.ACTS, **hostile_keys.ACTS}
    order = Order(text["args"], text["doors"])
    acts[text["kind"]](order)
    sys.stdout.write(json.dumps({"notes": order.notes, "wrong": order.wrong}) + "\n")


if __name__ == "__main__":
    main()
