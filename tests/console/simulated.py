"""Boards that follow docs/mqtt.md over a real broker, without voice and face: for tests of the page."""

from __future__ import annotations

import json
import math
import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import paho.mqtt.client as mqtt

from mien.audio.opus import OpusEncoder
from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX
from mien.fleet import command as commands
from mien.fleet import event as events
from mien.fleet.status import Avatar, Call, Floor, Health, Status, Visit, Watchers
from mien.fleet.topics import Board, parse_order

DEFAULT_SHA = ""
HEAD = range(52, 55)
SENTENCE = "Good morning! The library opens at nine, on the second floor."


def encode_pose(seq: int, shown_ms: int, frames: list[tuple[int, np.ndarray]]) -> bytes:
    """A key batch; every frame is whole, which is longer than a board's, and simpler."""
    data = struct.pack("<BBHQ", 1, 1, seq & 0xFFFF, shown_ms)
    for number, (dt_ms, pose) in enumerate(frames):
        data += bytes([dt_ms if number else 0]) + b"\xff" * 7
        for channel, value in enumerate(pose):
            if channel in HEAD:
                data += struct.pack("b", max(-127, min(127, round(float(value) * 100))))
            else:
                data += bytes([max(0, min(255, round(float(value) * 255)))])
    return data


def encode_sound(seq: int, at_ms: int, packets: list[bytes], *, first: bool = False, last: bool = False) -> bytes:
    """The payload of live/heard."""
    data = struct.pack("<BBHQB", 1, first | last << 1, seq & 0xFFFF, at_ms, len(packets))
    return data + b"".join(struct.pack("<H", len(packet)) + packet for packet in packets)


def speaking_pose(seconds: float) -> np.ndarray:
    """A pose of somebody who talks and looks around."""
    pose = np.zeros(CHANNEL_COUNT, dtype=np.float32)
    for name, value in {
        "jawOpen": 0.18 + 0.17 * math.sin(seconds * 13),
        "mouthFunnel": 0.2 + 0.2 * math.sin(seconds * 5),
        "mouthSmileLeft": 0.35,
        "mouthSmileRight": 0.35,
        "browInnerUp": 0.25 + 0.2 * math.sin(seconds * 1.7),
        "eyeBlinkLeft": 1.0 if seconds % 4 < 0.12 else 0.0,
        "eyeBlinkRight": 1.0 if seconds % 4 < 0.12 else 0.0,
        "headYaw": 0.12 * math.sin(seconds * 0.9),
        "headPitch": 0.05 * math.sin(seconds * 1.3),
        "breath": 0.5 + 0.5 * math.sin(seconds * 1.5),
    }.items():
        pose[CHANNEL_INDEX[name]] = value
    return pose


@dataclass
class Simulated:
    """One board: what it tells, and what it was told."""

    place: Board
    status: Status
    health: Health = field(default_factory=Health)
    seq: int = 0
    commanded: list[tuple[str, str, Any]] = field(default_factory=list)
    speech: list[bytes] = field(default_factory=list)
    watched_until: float = 0.0
    streams: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


class Boards:
    """Any number of boards on one connection.

    answers False: commands are heard, and not answered. still: poses do not move.
    """

    def __init__(self, port: int, user: str = "boards", password: str = "boards-password") -> None:
        self.boards: dict[str, Simulated] = {}
        self.answers = True
        self.still = False  # poses that do not move, for pictures
        self.lock = threading.RLock()
        self.counts: dict[str, int] = defaultdict(int)
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.username_pw_set(user, password)
        self.client.max_inflight_messages_set(200)
        self.client.max_queued_messages_set(0)
        self.client.on_message = lambda _c, _u, message: self._on_message(message.topic, message.payload)
        self.client.on_connect = self._on_connect
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self._stop = threading.Event()
        self._streamer = threading.Thread(target=self._stream, daemon=True)
        self._streamer.start()
        self._opus = self._spoken()

    def close(self) -> None:
        self._stop.set()
        self._streamer.join()
        self.client.loop_stop()
        self.client.disconnect()

    def add(self, site: str, name: str, **status: Any) -> Simulated:
        """A board that is online, with what is given in place of the usual."""
        place = Board(site, name)
        usual = Status(
            online=True,
            at=time.time(),
            site=site,
            board=name,
            version="0.3.0",
            image="mien-12.8",
            slot="rootfs.0",
            model="Raspberry Pi 4 Model B",
            motion="mien-standard",
            avatar=Avatar(name="default", sha256=DEFAULT_SHA),
            level="full",
            ear="live",
            volume=0.8,
            screen="on",
            brightness=1.0,
            clock="synchronized",
            started=time.time() - 86_400 * 3,
        )
        made = Simulated(place, msgspec.structs.replace(usual, **status))
        with self.lock:
            self.boards[place.user] = made
        self.publish(made, "status", made.status, retain=True)
        return made

    def change(self, board: Simulated, **status: Any) -> None:
        """Tell a new status."""
        board.status = msgspec.structs.replace(board.status, at=time.time(), **status)
        self.publish(board, "status", board.status, retain=True)

    def tell_health(self, board: Simulated, **values: Any) -> None:
        """Tell a health, with what is given in place of the usual."""
        usual = {
            "at": time.time(), "uptime_s": 90_000.0, "fps": 59.8, "offset_median_ms": 12.0, "offset_p95_ms": 31.0,
            "latency_p50_ms": 180.0, "latency_p95_ms": 320.0, "memory_free_mb": 512.0, "load": 0.42,
            "temperature_c": 54.0, "disk_used": 0.31, "sound": "open", "screen": "on", "clock_synchronized": True,
        }  # fmt: skip
        board.health = Health(**{**usual, **values})
        self.publish(board, "health", board.health, retain=True, qos=0)

    def event(self, board: Simulated, kind: type[events.EventBase], **values: Any) -> None:
        """Tell an event, numbered."""
        board.seq += 1
        made = kind(queue="q1", seq=board.seq, at=values.pop("at", time.time()), mono_s=1.0, **values)
        self.publish(board, "event", made)

    def caption(self, board: Simulated, who: str, text: str, turn: str = "t1", **values: Any) -> None:
        """Tell a caption."""
        line = commands.CaptionLine(at=time.time(), who=who, turn=turn, text=text, **values)
        self.publish(board, "live/caption", line, qos=0)

    def publish(self, board: Simulated, rest: str, payload: Any, *, retain: bool = False, qos: int = 1) -> None:
        """Publish a struct, or bytes as they are."""
        data = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
        self.client.publish(board.place.topic(rest), data, qos=qos, retain=retain)

    def _on_connect(self, *_: Any) -> None:
        self.client.subscribe([("mien/1/+/+/command/+/+", 1), ("mien/1/+/+/watch/+", 1), ("mien/1/+/+/speech/+", 0)])

    def _on_message(self, topic: str, payload: bytes) -> None:
        site, name = topic.split("/")[2:4]
        board = self.boards.get(f"{site}/{name}")
        if board is None:
            return
        order = parse_order(board.place, topic)
        with self.lock:
            self.counts[order.kind] += 1
            if order.kind == "speech":
                board.speech.append(payload)
            elif order.kind == "watch":
                watch = msgspec.json.decode(payload, type=commands.Watch)
                board.streams = watch.streams
                board.watched_until = time.monotonic() + watch.for_s
                self.change(board, watchers=Watchers(watching=(order.user,) if watch.streams else ()))
            else:
                self._command(board, order.role, order.user, payload)

    def _command(self, board: Simulated, role: str, user: str, payload: bytes) -> None:
        order = msgspec.json.decode(payload, type=commands.Command)
        name = json.loads(payload)["command"]
        board.commanded.append((name, user, order))
        if not self.answers:
            return
        error, result = None, {}
        floor = board.status.floor
        assert commands.permits(role, type(order)), f"the page sent {name} as {role}"
        if isinstance(order, commands.TakeFloor):
            if floor and floor.holder != user:
                error = commands.Refusal(code="floor_taken", message=floor.holder)
            else:
                self.change(board, floor=Floor(holder=user, since=time.time()))
                self.event(board, events.FloorChanged, holder=user)
        elif isinstance(order, commands.ReleaseFloor):
            board.notes.append(order.note)
            self.change(board, floor=None)
            self.event(board, events.FloorChanged, holder="", why="released")
        elif isinstance(order, commands.AnswerCall):
            call = board.status.call
            if call is None or call.accepted_by:
                error = commands.Refusal(code="no_call", message="")
            else:
                taken = msgspec.structs.replace(call, accepted_by=user) if order.coming else None
                self.change(board, call=taken)
                state = "accepted" if order.coming else "declined"
                self.event(board, events.Call, call=call.call, state=state, by=user, waited_s=4.0)
        elif isinstance(order, commands.Volume):
            self.change(board, volume=order.gain)
        elif isinstance(order, commands.Doctor):
            result = {
                "rows": [
                    {"name": "sound", "verdict": "good", "detail": "alsa default, 48000 Hz", "remedy": ""},
                    {"name": "screen", "verdict": "good", "detail": "HDMI-A-1, 1080x1920", "remedy": ""},
                    {"name": "clock", "verdict": "poor", "detail": "runs free", "remedy": "allow NTP out"},
                ]
            }
        elif isinstance(order, commands.Log):
            result = {"text": "mien-voice: started\nmien-voice: client mien converse joined\n"}
        answer = commands.Answer(
            id=order.id, command=name, state="refused" if error else "done", at=time.time(), error=error, result=result
        )
        self.client.publish(board.place.topic("answer", user), msgspec.json.encode(answer), qos=1)

    def call(self, board: Simulated, call: str = "c1", waited_s: float = 8.0, question: str | None = None) -> None:
        """A customer asks for a person."""
        since = time.time() - waited_s
        self.change(board, call=Call(call=call, since=since, language="en", question=question))
        self.event(board, events.Call, call=call, state="open", language="en")

    def visit(self, board: Simulated, seconds: float = 95.0, language: str = "en", phase: str = "idle") -> None:
        """A visit that began so long ago."""
        since = time.time() - seconds
        self.change(board, visit=Visit(visit="v1", phase="answer", language=language, since=since), phase=phase)

    def _spoken(self) -> list[bytes]:
        """Half a second of a 440 Hz tone as Opus."""
        encoder = OpusEncoder(16_000)
        times = np.arange(16_000 // 2) / 16_000
        return encoder.encode_all((8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16))

    def _stream(self) -> None:
        """Poses and sound to whoever watches, 30 times a second."""
        started, number = time.monotonic(), 0
        while not self._stop.wait(max(0.0, started + (number + 3) / 30 - time.monotonic())):
            number += 3
            now_ms = int(time.time() * 1000)
            with self.lock:
                watched = [board for board in self.boards.values() if board.watched_until > time.monotonic()]
            for board in watched:
                if "pose" in board.streams:
                    seconds = [2.0 if self.still else time.monotonic() - started + at / 30 for at in range(3)]
                    frames = [(33, speaking_pose(each)) for each in seconds]
                    self.publish(board, "live/pose", encode_pose(number // 3, now_ms - 66, frames), qos=0)
                if "heard" in board.streams and self._opus:
                    at = number // 3 * 5 % len(self._opus)
                    packets = self._opus[at : at + 5]
                    self.publish(
                        board, "live/heard", encode_sound(number // 3, now_ms - 100, packets, first=at == 0), qos=0
                    )
