"""Watch a conversation as an observer: who speaks, what is said, how each turn ended. Ends with Ctrl-C."""

import contextlib

from mien.client import Floor, HealthReport, Outcome, Said, Status, connect

with connect(name="watch", role="observer") as observer, contextlib.suppress(KeyboardInterrupt):
    observer.subscribe("state", "captions", "health")
    print("watching", flush=True)
    for event in observer.events():
        match event:
            case Status(phase=phase, client=client, played_ms=played_ms):
                print(f"{phase} {client} {played_ms:.0f} ms", flush=True)
            case Said(client=client, text=text):
                print(f"{client} says: {text}", flush=True)
            case Outcome(client=client, turn=turn, reason=reason, played_ms=played_ms):
                print(f"{client}'s turn {turn} ended: {reason} after {played_ms:.0f} ms", flush=True)
            case Floor(holder=holder, why=why):
                print(f"floor: {holder or 'nobody'} ({why})", flush=True)
            case HealthReport(level=level, clients=clients, face_fps=fps):
                print(f"health: {level}, {clients} clients, {fps or 0:.0f} fps", flush=True)
