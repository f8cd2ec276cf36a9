"""The mouth's process: python -m hil.mouth --played FILE --ring FILE --folder FOLDER --scene JSON [--player qemu].

It writes two recordings into the folder: near.wav, the customer alone, and microphone.wav, all that the board hears.

It prints `ready`, then obeys a line of JSON at a time: {"say": FILE, "over_echo_db": DB}, an int16 array of numpy at
48 kHz. When its input ends it pulls the microphone out, and prints what it was late with.
"""

import argparse
import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from hil.errors import RigError
from hil.mouth.played import QemuPlayed, WavPlayed
from hil.mouth.ring import RATE_HZ, Ring
from hil.mouth.scene import RoomSound, Scene
from mien.audio.wav import opened_path
from mien.audio.wavfile import WavWriter
from mien.bench.ear_rooms import rooms

PRIORITY: Final = 5
NS_PER_S: Final = 1_000_000_000


def main() -> int:
    """Run until the input ends."""
    arguments = argparse.ArgumentParser(prog="python -m hil.mouth")
    for name in ("played", "ring", "folder"):
        arguments.add_argument(f"--{name}", type=Path, required=True)
    arguments.add_argument("--scene", required=True)
    arguments.add_argument("--player", choices=("sink", "qemu"), default="sink")
    given = arguments.parse_args()
    scene = msgspec.json.decode(given.scene, type=Scene)
    room = next((room for room in rooms(rate_hz=RATE_HZ) if room.name == scene.room), None)
    if room is None:
        raise RigError("mouth", f"there is no room {scene.room}")
    _hurry()
    played = WavPlayed(lambda: given.played) if given.player == "sink" else QemuPlayed(given.played)
    sound = RoomSound(scene, room, played)
    near, heard = (WavWriter(given.folder / f"{name}.wav", RATE_HZ) for name in ("near", "microphone"))
    start_ns = time.monotonic_ns()
    opened_path(given.folder / "near.wav").write_text(f"{start_ns}\n")
    ring = Ring(given.ring, opened_ns=start_ns, ppm=scene.ppm)
    sound.begin(ring)
    print("ready", flush=True)
    try:
        _run(sound, near, heard)
    finally:
        ring.close()
        near.close()
        heard.close()
    print(json.dumps({"late_frames": ring.late_frames, "missed_blocks": sound.missed_blocks}), flush=True)
    return 0


def _run(sound: RoomSound, near: WavWriter, heard: WavWriter) -> None:
    os.set_blocking(sys.stdin.fileno(), False)
    waiting = b""
    while True:
        left_s = (sound.next_ns() - time.monotonic_ns()) / NS_PER_S
        if select.select([sys.stdin], [], [], max(0.0, left_s))[0]:
            data = os.read(sys.stdin.fileno(), 65_536)
            if not data:
                return
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                sound.say(np.load(order["say"]), float(order["over_echo_db"]))
        made = sound.step(time.monotonic_ns())
        near.append(made.near)
        heard.append(made.heard)


def _hurry() -> None:
    """A real room is never late: run before everything else on this machine, where that is permitted."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        print("hil.mouth: no real-time priority; a busy machine may make the microphone stutter", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
