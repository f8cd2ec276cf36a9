"""All acts of the adversary, with their random arguments. Implemented in hostile_*, lives, files, keys."""

import random
from typing import Final

from chaos.plan import Args, Kind

CLIENTS: Final = ("tcp", "ipc")  # endpoints that accept clients without a key
DOORS: Final = (*CLIENTS, "curve")
SOCKETS: Final = (*DOORS, "bus", "report", "far_end", "ear")
REPORTS: Final = ("malformed", "thumbnails", "motion_ready", "poses")
FLOODS: Final = ("captions", "pings", "grains", "subscriptions", "hellos", "states", "thumbnails", "unknown")

# Requirements of a kind: "mount", permission to mount file systems; "curve", an endpoint with keys.
HOSTILE: Final = (
    Kind("bare_connects", lambda r: {"where": r.choice(SOCKETS), "count": r.randint(1100, 1500), "hold_s": 3.0}, 6.0),
    Kind("garbage", lambda r: {"where": r.choice(SOCKETS), "count": 40, "seed": r.randrange(10**6)}, 2.0),
    Kind("mutated_streams", lambda r: {"where": r.choice(SOCKETS), "count": 60, "seed": r.randrange(10**6)}, 3.0),
    Kind("half_greetings", lambda r: {"where": r.choice(SOCKETS), "count": r.randint(50, 150), "hold_s": 4.0}, 5.0),
    Kind("slowloris", lambda r: {"where": r.choice(SOCKETS), "count": 40, "seconds": 5.0}, 6.0),
    Kind(
        "endless_message",
        lambda r: {
            "where": r.choice((*CLIENTS, "report")),
            "frame_bytes": r.choice((0, 64, 4096, 65536, 200_000)),
            "mb": 200,
        },
        5.0,
    ),
    Kind(
        "huge_frame",
        lambda r: {
            "where": r.choice((*CLIENTS, "report")),
            "claimed": r.choice((2**18 + 1, 2**31, 2**40, 2**63)),
            "mb": 200,
        },
        5.0,
    ),
    Kind(
        "odd_commands",
        lambda r: {"where": r.choice((*CLIENTS, "bus", "report")), "count": 2000, "seed": r.randrange(10**6)},
        3.0,
    ),
    Kind("churn", lambda r: {"where": r.choice(CLIENTS), "count": 200}, 4.0),
    Kind(
        "flood",
        lambda r: {
            "where": r.choice(CLIENTS),
            "what": r.choice(FLOODS),
            "seconds": r.choice((3.0, 3.0, 12.0)),
            "reads": r.random() < 0.5,
        },
        5.0,
    ),
    Kind(
        "stalled_observers",
        lambda r: {
            "where": r.choice(CLIENTS),
            "count": r.randint(3, 7),
            "seconds": 6.0,
            "words": r.choice((1, 40, 200)),
        },
        8.0,
    ),
    Kind("idle_sessions", lambda r: {"where": r.choice(CLIENTS), "count": 8, "seconds": 6.0}, 8.0),
    Kind("hanging_pause", lambda r: {"where": r.choice(CLIENTS), "seconds": 15.0}, 8.0),
    Kind("control_names", lambda r: {"where": r.choice(CLIENTS)}, 3.0),
    Kind("fuzz_messages", lambda r: {"where": r.choice(CLIENTS), "count": 3000, "seed": r.randrange(10**6)}, 4.0),
    Kind("hanging_agent", lambda r: {"where": r.choice(CLIENTS), "seconds": r.uniform(1, 4)}, 8.0),
    Kind("abandoned_turns", lambda r: {"where": r.choice(CLIENTS), "count": r.randint(1, 6)}, 8.0),
    Kind(
        "report_flood",
        lambda r: {"count": 3000, "what": r.choice(REPORTS)},
        2.0,
    ),
    Kind("bus_stalled", lambda r: {"count": r.randint(1, 8), "seconds": 5.0}, 6.0),
    Kind("bus_subscriptions", lambda r: {"count": 200_000, "seed": r.randrange(10**6)}, 5.0),
    Kind("stranger", lambda _: {}, 2.0, "curve"),
    Kind("stolen_identity", lambda r: {"where": r.choice(("tcp", "curve"))}, 3.0, "curve"),
)


def _cut(chance: random.Random) -> Args:
    return {
        "what": chance.choice(("avatar", "model")),
        "how": chance.choice(("cut", "garbled", "empty", "gone")),
        "seed": chance.randrange(10**6),
    }


FAULTS: Final = (
    Kind("stop_voice", lambda r: {"seconds": round(r.uniform(0.2, 4.0), 1)}, 4.0),
    Kind("stop_face", lambda r: {"seconds": round(r.uniform(0.5, 5.0), 1)}, 5.0),
    Kind("stop_ear", lambda r: {"seconds": round(r.uniform(0.5, 5.0), 1)}, 6.0),
    Kind("kill_ear", lambda _: {}, 3.0),
    Kind("restart_ear", lambda _: {}, 3.0),
    Kind("kill_voice", lambda _: {}, 4.0),
    Kind("kill_face", lambda _: {}, 5.0),
    Kind("restart_voice", lambda _: {}, 4.0),
    Kind("no_memory_voice", lambda r: {"spare_mb": r.choice((1, 8)), "seconds": 3.0}, 5.0),
    Kind("no_memory_face", lambda r: {"spare_mb": r.choice((1, 8)), "seconds": 3.0}, 6.0),
    Kind("disk_full", lambda r: {"place": r.choice(("sound", "journal")), "seconds": 3.0}, 6.0),
    Kind("disk_readonly", lambda r: {"place": r.choice(("journal", "run")), "seconds": 4.0}, 6.0, "mount"),
    Kind("files_too_large", lambda _: {"seconds": 2.0}, 6.0),
    Kind(
        "sockets_deleted",
        lambda r: {"names": r.choice((["voice"], ["bus"], ["report"], ["voice", "bus", "report"]))},
        6.0,
    ),
    Kind("second_voice", lambda _: {}, 4.0),
    Kind("second_face", lambda _: {"seconds": 4.0}, 6.0),
    Kind("deaf_systemd", lambda _: {"seconds": 20.0}, 20.0),
    Kind("damaged_at_restart", _cut, 12.0),
    Kind("damaged_in_use", _cut, 8.0),
    Kind("bad_key", lambda r: {"how": r.choice(("short", "garbage", "binary", "huge", "folder"))}, 4.0, "curve"),
    Kind("removed_key", lambda r: {"beside_a_bad_one": r.random() < 0.5}, 8.0, "curve"),
)

KINDS: Final = (*HOSTILE, *FAULTS)
HOSTILE_NAMES: Final = frozenset(kind.name for kind in HOSTILE)


def usable(able: frozenset[str], only: tuple[str, ...] = ()) -> list[Kind]:
    """The kinds that this machine supports, or those of them that are named. Raises ValueError for unknown names."""
    unknown = set(only) - {kind.name for kind in KINDS}
    if unknown:
        raise ValueError(
            f"no act is called {', '.join(sorted(unknown))}; there are {', '.join(kind.name for kind in KINDS)}"
        )
    return [kind for kind in KINDS if (not kind.needs or kind.needs in able) and (not only or kind.name in only)]
