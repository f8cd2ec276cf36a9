"""mien watch: its state from bus messages, and the command over a real bus."""

import io
import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from mien.cli.watch import render, watch
from mien.cli.watcher import STALE_NS, RemoteWatcher, WatchState
from mien.client import connect
from mien.core import bus, wire
from mien.core.stats import Counters
from mien.host.clock import MonotonicClock
from mien.transport.bus import VoiceBus
from mien.transport.zmtp.reactor import Reactor
from rigs.services import running_voice
from rigs.voice_double import make_welcome

PATIENCE_S = 20
VOICE = bus.VoiceHealth(epoch=3, pid=11, level="full", clients=2, pss_mb=28.5, counters={"turns_played": 4})
FACE = bus.FaceHealth(
    epoch=3,
    pid=12,
    level="full",
    fps=59.9,
    shown=600,
    missed=1,
    offset_median_ms=-1.5,
    offset_p95_ms=6.25,
    motion_lead_ms=180.0,
    pss_mb=90.0,
    counters={},
    renderer="llvmpipe",
)
ANCHOR = bus.Anchor(
    epoch=3, media_ns=1_000_000_000, at_ns=50_000_000_000, until_ns=1_500_000_000, phase="speaking", turn="t"
)


def state_of(*messages, now_ns=50_000_000_000):
    state = WatchState()
    for message in messages:
        state.update(message, now_ns)
    return state


class TestState:
    def test_nothing_was_heard_yet(self):
        snapshot = WatchState().snapshot(10**9)
        assert set(snapshot.values()) == {None}
        json.dumps(snapshot)

    def test_everything(self):
        caption = bus.CaptionCue(epoch=3, turn="t", text="Hello")
        expression = bus.Expression(epoch=3, state="listening", emotion="happy", intensity=0.5, look_x=0.1, look_y=None)
        snapshot = state_of(ANCHOR, caption, expression, VOICE, FACE).snapshot(50_200_000_000)
        assert (snapshot["phase"], snapshot["turn"], snapshot["caption"], snapshot["epoch"]) == (
            "speaking",
            "t",
            "Hello",
            3,
        )
        assert snapshot["media_ms"] == 1200.0
        assert snapshot["expression"]["emotion"] == "happy"
        assert snapshot["voice"]["counters"] == {"turns_played": 4}
        assert snapshot["face"]["offset_p95_ms"] == 6.25
        assert json.loads(json.dumps(snapshot)) == snapshot

    @pytest.mark.parametrize(
        ("now_ns", "media_ms"), [(0, 1000), (50_000_000_000, 1000), (50_300_000_000, 1300), (90_000_000_000, 1500)]
    )
    def test_media_time_stays_between_the_anchor_and_what_the_voice_holds(self, now_ns, media_ms):
        assert state_of(ANCHOR).media_ms(now_ns) == media_ms

    def test_a_process_that_falls_silent_is_gone(self):
        state = state_of(VOICE, FACE, now_ns=1)
        assert state.snapshot(STALE_NS)["face"] is not None
        assert state.snapshot(STALE_NS + 1)["face"] is None
        state.update(ANCHOR, STALE_NS)
        assert state.snapshot(STALE_NS + 1)["voice"] is not None

    def test_a_caption_of_another_turn_is_not_shown(self):
        assert state_of(ANCHOR, bus.CaptionCue(epoch=3, turn="u", text="no")).snapshot(0)["caption"] is None

    def test_speech_passes_by(self):
        assert state_of(bus.Speech(epoch=1, turn="t", turn_start_ns=0, offset=0)) == WatchState()


class TestView:
    def show(self, snapshot):
        console = Console(width=100, record=True, file=io.StringIO())
        console.print(render(snapshot))
        return console.export_text()

    def test_all_of_it(self):
        state = state_of(ANCHOR, bus.Expression(epoch=1, emotion="sad"), VOICE, FACE)
        text = self.show(state.snapshot(50_200_000_000))
        for what in ("speaking", "1.2 s", "sad", "turns_played 4", "59.9 a second", "1 missed", "p95 6.2 ms"):
            assert what in text

    def test_nothing(self):
        assert self.show(WatchState().snapshot(0)).count("not reporting") == 2

    def test_names_from_clients_are_not_markup(self):
        anchor = bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=0, phase="speaking", turn="[red]x[/red]")
        assert "[red]x[/red]" in self.show(state_of(anchor).snapshot(0))


@contextmanager
def published(run_dir, *messages):
    """A bus on which these messages are published repeatedly."""
    stop = threading.Event()

    def say():
        reactor = Reactor()
        voice = VoiceBus(reactor, run_dir, MonotonicClock(), Counters())
        while not stop.is_set():
            reactor.wait(20)
            voice.joined()
            for message in messages:
                voice.publish([message if isinstance(message, bytes) else bus.encode(message)])
        voice.close()
        reactor.close()

    thread = threading.Thread(target=say)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class TestCommand:
    def call(self, run_dir, *arguments):
        return CliRunner().invoke(watch, ["--run-dir", str(run_dir), *arguments])

    def test_once(self, tmp_path):
        with published(tmp_path, ANCHOR, VOICE, FACE):
            result = self.call(tmp_path, "--once")
        assert result.exit_code == 0
        assert "speaking" in result.output

    def test_once_as_json(self, tmp_path):
        with published(tmp_path, ANCHOR, VOICE, FACE):
            result = self.call(tmp_path, "--once", "--json")
        assert json.loads(result.output)["face"]["pid"] == 12

    def test_no_voice(self, tmp_path):
        result = self.call(tmp_path, "--once", "--timeout", "0.1")
        assert result.exit_code == 3
        assert "mien run" in result.output

    def test_a_bus_of_another_version(self, tmp_path):
        with published(tmp_path, b"\x63whatever"):
            result = self.call(tmp_path, "--once")
        assert result.exit_code == 1
        assert "one release" in result.output

    def test_lines_until_ctrl_c(self, tmp_path):
        # A job in the background of a script is started with SIGINT ignored.
        code = "import signal; signal.signal(2, signal.default_int_handler); from mien.cli.watch import watch; watch()"
        arguments = ["--json", "--interval", "0.05", "--run-dir", str(tmp_path)]
        with published(tmp_path, ANCHOR, VOICE):
            process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE)
            lines = [json.loads(process.stdout.readline()) for _ in range(5)]
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert lines[-1]["phase"] == "speaking"

    def test_help_has_an_example(self):
        assert "mien watch --json" in CliRunner().invoke(watch, ["--help"]).output


@pytest.mark.parametrize(
    ("device", "told"), [("open", "open"), ("released", "released until speech"), ("lost", "lost, retrying")]
)
def test_the_table_and_the_json_show_the_sound_card(device, told):
    snapshot = state_of(ANCHOR, msgspec.structs.replace(VOICE, device=device)).snapshot(50_200_000_000)
    assert snapshot["voice"]["device"] == device
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(render(snapshot))
    assert any("sound card" in line and told in line for line in console.export_text().splitlines())


def test_the_table_and_the_json_show_the_visit_of_this_machine():
    snapshot = state_of(ANCHOR, msgspec.structs.replace(VOICE, visit="greeting", language="en")).snapshot(
        50_200_000_000
    )
    assert snapshot["visit"] == {"phase": "greeting", "language": "en"}
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(render(snapshot))
    assert any("visit" in line and "greeting, en" in line for line in console.export_text().splitlines())
    assert state_of(ANCHOR, VOICE).snapshot(50_200_000_000)["visit"] is None


@pytest.mark.parametrize(
    ("idle", "screen", "pss_mb", "told"),
    [
        (False, "on", 90.0, ("59.9 a second, 600", "on", "90 MB")),
        (True, "dim", None, ("59.9 a second, idle, 600", "dim", "memory unknown")),
        (False, "off", 90.0, ("off",)),
    ],
)
def test_the_table_and_the_json_tell_an_idle_rate_the_screen_and_unknown_memory(idle, screen, pss_mb, told):
    face = msgspec.structs.replace(FACE, idle=idle, screen=screen, pss_mb=pss_mb)
    snapshot = state_of(ANCHOR, VOICE, face).snapshot(50_200_000_000)
    assert (snapshot["face"]["idle"], snapshot["face"]["screen"], snapshot["face"]["pss_mb"]) == (idle, screen, pss_mb)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(render(snapshot))
    text = console.export_text()
    assert all(words in text for words in told)


class TestElsewhere:
    """A voice that is watched over its public endpoint, as from another machine."""

    def call(self, *arguments):
        return CliRunner().invoke(watch, [*arguments, "--timeout", "10"])

    @pytest.fixture
    def voice(self, tmp_path):
        with running_voice(tmp_path) as service:
            yield service

    def test_once_as_json(self, voice):
        result = self.call("--endpoint", voice.endpoints[-1], "--once", "--json")
        told = json.loads(result.stdout)
        assert result.exit_code == 0
        assert (told["voice"]["device"], told["voice"]["clients"], told["phase"]) == ("open", 1, "idle")
        assert (told["face"], told["epoch"], told["expression"]["state"]) == (None, None, "idle")

    def test_it_has_every_key_of_the_local_one(self, voice):
        with RemoteWatcher(voice.endpoints[-1], None, None, 5.0) as watcher:
            there = watcher.snapshot()
        assert set(there) >= set(WatchState().snapshot(0))

    def test_once_as_a_table(self, voice):
        result = self.call("--endpoint", voice.endpoints[-1], "--once")
        assert result.exit_code == 0
        assert "sound card" in result.output
        assert "not reporting" in result.output

    def test_what_is_said_and_heard(self, voice):
        with RemoteWatcher(voice.endpoints[-1], None, None, 5.0) as watcher, connect(voice.endpoints[-1]) as agent:
            watcher.listen(0.2)
            turn = agent.turn("t")
            turn.caption("Good")
            turn.caption(" morning", append=True)
            turn.write(bytes(32 * 1000))
            until(watcher, lambda told: (told["played_ms"] or 0) > 0)
            told = watcher.snapshot()
            assert (told["phase"], told["turn"], told["caption"]) == ("speaking", "t", "Good morning")
            turn.interrupt()

    def test_the_face_as_far_as_it_is_reported(self):
        report = wire.HealthReport(
            level="full", clients=1, voice_pss_mb=30.0, counters={}, face_fps=29.5, face_missed=3, device="released"
        )
        report = msgspec.structs.replace(report, face_screen="dim", face_brightness=0.3, face_renderer="V3D")
        console = Console(width=120, record=True, file=io.StringIO())
        watcher = RemoteWatcher.__new__(RemoteWatcher)
        watcher._status, watcher._health, watcher._visit = None, None, None
        watcher._caption = wire.Said(client="", turn="", text="")
        watcher._take(report)
        console.print(render(watcher.snapshot()))
        text = console.export_text()
        assert "29.5 a second, 3 missed" in text
        assert "released until speech arrives" in text
        assert "dim, 30 %" in text
        assert "V3D" in text
        assert set(watcher.snapshot()["face"]) == set(state_of(FACE).snapshot(50_200_000_000)["face"])

    def test_the_visit_as_a_speaker_tells_it(self, voice):
        with RemoteWatcher(voice.endpoints[-1], None, None, 5.0) as watcher, connect(voice.endpoints[-1]) as agent:
            watcher.listen(0.2)
            assert watcher.snapshot()["visit"] is None
            agent.visit(wire.Visit(phase="calling", visit="v1", language="de"))
            until(watcher, lambda told: told["visit"] == {"phase": "calling", "language": "de"})
            agent.visit(wire.Visit(phase="over", visit="v1"))
            until(watcher, lambda told: told["visit"] is None)

    def test_an_older_voice_without_visits_is_watched_too(self):
        watcher = RemoteWatcher.__new__(RemoteWatcher)
        asked = []
        watcher._client = SimpleNamespace(subscribe=lambda *topics: asked.append(topics))
        watcher._take(make_welcome(capabilities=("subscribe",)))
        assert asked == [("state", "captions", "health")]

    def test_a_voice_that_comes_back_is_watched_again(self, tmp_path):
        endpoint = f"ipc://{tmp_path}/voice.sock"
        with running_voice(tmp_path):
            watcher = RemoteWatcher(endpoint, None, None, 5.0)
            until(watcher, lambda told: told["voice"] is not None)
        with watcher:
            until(watcher, lambda told: told["voice"] is None)
            with running_voice(tmp_path):
                until(watcher, lambda told: told["voice"] is not None)

    def test_nobody_there(self, tmp_path):
        result = CliRunner().invoke(watch, ["--endpoint", f"ipc://{tmp_path}/x.sock", "--timeout", "0.2"])
        assert result.exit_code == 3
        assert "no such socket" in result.output

    def test_a_key_without_an_endpoint_is_bad_usage(self):
        assert CliRunner().invoke(watch, ["--key", "x"]).exit_code == 2


def until(watcher, condition):
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition(watcher.snapshot()):
        assert time.monotonic() < deadline_s
        watcher.listen(0.05)
