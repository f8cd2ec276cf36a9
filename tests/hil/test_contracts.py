"""The contracts of a rig's parts over every implementation that can run here: files, pipes and loop devices stand for
the devices of a bench, a made-up guest for QEMU."""

import hashlib
import os
import shlex
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from hil.bench.card import MuxCard
from hil.bench.ears import BLOCK_FRAMES, PipeEars, arecord_command
from hil.bench.net import NicNet
from hil.bench.power import CommandPower
from hil.bench.screen import PipeScreen, v4l2_command
from hil.container.ears import WavEars
from hil.container.net import VethNet, netem
from hil.contracts import Link
from hil.errors import RigError
from hil.qemu.clock import NS_PER_TICK, GuestClock, find_bar, unwrap
from hil.qemu.console import SerialConsole, SocketLine
from hil.qemu.ears import QemuEars
from hil.qemu.qmp import Qmp
from hil.qemu.screen import QemuScreen, read_ppm
from mien.audio.wav import WavSink
from mien.core.clock import ManualClock

MS = 1_000_000
SIZE = (16, 8)


def grey_frames(levels, pause_s=0.02):
    """A command that writes one rgb24 frame per level, as a capture program would."""
    width, height = SIZE
    code = (
        f"import sys, time\nfor level in {list(levels)}:\n"
        f" sys.stdout.buffer.write(bytes([level]) * {3 * width * height})\n"
        f" sys.stdout.buffer.flush()\n time.sleep({pause_s})\ntime.sleep(30)"
    )
    return [sys.executable, "-c", code]


class FakeQemu:
    """Answers QMP on a socket: screendump writes an image whose brightness is the number of dumps so far."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "qmp.sock"
        self.commands: list[str] = []
        self.shots = 0
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        import json

        connection, _ = self._server.accept()
        with connection, connection.makefile("rw") as file:
            print('{"QMP": {}}', file=file, flush=True)
            for line in file:
                asked = json.loads(line)
                self.commands.append(asked["execute"])
                print(json.dumps(self._answer(asked["execute"], asked["arguments"])), file=file, flush=True)

    def _answer(self, command: str, arguments: dict[str, str]) -> object:
        if command == "screendump":
            self.shots += 1
            width, height = SIZE
            Path(arguments["filename"]).write_bytes(
                b"P6\n%d %d\n255\n" % SIZE + bytes([self.shots % 256]) * (3 * width * height)
            )
        if command == "nonsense":
            return {"error": {"class": "CommandNotFound", "desc": "no such command"}}
        return {"return": {}}


@pytest.fixture
def qemu(tmp_path):
    return FakeQemu(tmp_path)


@pytest.fixture(params=["pipe", "qemu", "xvfb"])
def screen(request, tmp_path):
    if request.param == "pipe":
        made = PipeScreen(grey_frames(range(1, 250)), SIZE)
    elif request.param == "qemu":
        qmp = Qmp(FakeQemu(tmp_path).path)
        made = QemuScreen(tmp_path, lambda: qmp, time.monotonic_ns, frozen=False)
    else:
        import shutil

        if shutil.which("Xvfb") is None:
            pytest.skip("Xvfb is not installed")
        from hil.container.screen import XvfbScreen

        made = XvfbScreen(tmp_path, display=60 + os.getpid() % 40 + 100, size=SIZE)
        made.plug()
    yield made
    made.close()


def test_frames_come_in_the_order_of_their_times(screen):
    before_ns = time.monotonic_ns()
    frames = screen.record(0.3, at_most_hz=30)
    times = [frame.time_ns for frame in frames]
    assert len(frames) >= 2
    assert times == sorted(set(times))
    assert times[0] >= before_ns
    assert all(frame.pixels.shape == (SIZE[1], SIZE[0], 3) and frame.pixels.dtype == np.uint8 for frame in frames)


def test_a_screen_may_be_closed_twice(screen):
    screen.frame()
    screen.close()
    screen.close()


def test_each_frame_of_a_capture_program_is_taken_as_it_was():
    screen = PipeScreen(grey_frames([7] * 3 + [200] * 40), SIZE, latency_ms=5000)
    assert {int(frame.pixels.mean()) for frame in screen.record(0.3)} <= {7, 200}
    assert screen.frame().time_ns < time.monotonic_ns() - 4_900 * MS
    screen.close()


def test_a_capture_stick_without_a_signal_is_an_error_and_no_black_frame():
    screen = PipeScreen([sys.executable, "-c", "import sys; sys.exit('no signal')"], SIZE)
    with pytest.raises(RigError, match=r"screen: .*no signal"):
        screen.frame()
    screen.close()


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(RigError, match="screen: /no/ffmpeg is not installed"):
        PipeScreen(["/no/ffmpeg"], SIZE).frame()


def test_an_unplugged_x_screen_is_an_error(tmp_path):
    from hil.container.screen import XvfbScreen

    with pytest.raises(RigError, match="not plugged in"):
        XvfbScreen(tmp_path, display=99, size=SIZE).frame()


def test_guest_time_stands_still_during_a_capture(qemu, tmp_path):
    qmp = Qmp(qemu.path)
    QemuScreen(tmp_path, lambda: qmp, lambda: 5, frozen=True).frame()
    assert qemu.commands[-3:] == ["stop", "screendump", "cont"]


def test_qemu_saying_no_is_an_error_with_its_reason(qemu):
    qmp = Qmp(qemu.path)
    with pytest.raises(RigError, match="nonsense: no such command"):
        qmp.run("nonsense")


@pytest.mark.parametrize("data", [b"", b"P5\n1 1\n255\n0", b"GIF89a"])
def test_what_is_no_image_is_refused(data):
    with pytest.raises(RigError):
        read_ppm(data)


def tone_block(number):
    at = np.arange(number * BLOCK_FRAMES, (number + 1) * BLOCK_FRAMES)
    return (8000 * np.sin(2 * np.pi * 440 * at / 48_000)).astype("<i2").tobytes()


class Fed:
    """Something that a thread feeds until it is closed."""

    def _begin(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def _blocks(self):
        """Blocks of the tone, 20 s of them, each in its time."""
        begin = time.monotonic()
        for number in range(2000):
            yield tone_block(number)
            if self._stop.wait(max(0.0, begin + number * 0.01 - time.monotonic())):
                return

    def close(self) -> None:
        self._stop.set()
        self.ears.close()
        self._thread.join()


class PipeRig(Fed):
    """A FIFO that is fed in real time, as arecord feeds its pipe."""

    def __init__(self, folder: Path) -> None:
        self.fifo = folder / "ear"
        os.mkfifo(self.fifo)
        self._begin()
        self.ears = PipeEars(["cat", str(self.fifo)])

    def _feed(self) -> None:
        with self.fifo.open("wb", buffering=0) as pipe:
            for block in self._blocks():
                try:
                    pipe.write(block)
                except BrokenPipeError:
                    return


class QemuFileRig(Fed):
    """A file that grows as QEMU's wav backend lets it grow: in pieces, header first."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "out.wav"
        self.path.write_bytes(bytes(44))
        self._begin()
        self.ears = QemuEars(self.path, time.monotonic_ns)

    def _feed(self) -> None:
        with self.path.open("ab", buffering=0) as file:
            for block in self._blocks():
                file.write(np.repeat(np.frombuffer(block, "<i2"), 2).astype("<i2").tobytes())


class SinkRig(Fed):
    """mien's own WAV sink, written in real time."""

    def __init__(self, folder: Path) -> None:
        class Clock:
            def now_ns(self):
                return time.monotonic_ns()

        self.path = folder / "ear.wav"
        self._sink = WavSink(Clock(), 48_000, 9600, self.path)
        self._begin()
        self.ears = WavEars(lambda: self.path)

    def _feed(self) -> None:
        left = np.concatenate([np.frombuffer(tone_block(number), "<i2") for number in range(500)])
        while len(left) and not self._stop.wait(0.01):
            left = left[self._sink.write(left) :]

    def close(self) -> None:
        super().close()
        self._sink.close()


@pytest.fixture(params=[PipeRig, QemuFileRig, SinkRig])
def ears(request, tmp_path):
    rig = request.param(tmp_path)
    yield rig.ears
    rig.close()


def test_ears_hear_from_start_on_and_tell_when(ears):
    time.sleep(0.3)
    before_ns = time.monotonic_ns()
    ears.start()
    time.sleep(0.6)
    sound = ears.sound()
    after_ns = time.monotonic_ns()
    spectrum = np.abs(np.fft.rfft(sound.pcm[: 48_000 // 4].astype(float)))
    assert abs(int(spectrum.argmax()) * 4 - 440) <= 8
    assert 0.3 < len(sound.pcm) / sound.rate_hz < 0.9
    assert before_ns - 300 * MS < sound.start_ns < after_ns
    assert sound.end_ns < after_ns + 300 * MS


def test_ears_may_be_closed_twice(ears):
    ears.start()
    ears.close()
    ears.close()


@pytest.mark.parametrize(
    "made",
    [
        lambda _: PipeEars(["cat", "/dev/zero"]),
        lambda path: WavEars(lambda: path / "no.wav"),
        lambda path: QemuEars(path / "no.wav", time.monotonic_ns),
    ],
)
def test_ears_that_were_not_started_or_hear_nothing_say_so(made, tmp_path):
    ears = made(tmp_path)
    with pytest.raises(RigError, match="ears: "):
        ears.sound()
    ears.close()


def test_what_two_voices_gave_is_one_sound(tmp_path):
    clock, path = ManualClock(10**9), tmp_path / "ear.wav"
    ears = WavEars(lambda: path, clock.now_ns)
    ears._start_ns = clock.now_ns()
    for level in (1000, 2000):
        sink = WavSink(clock, 8000, 8000, path)
        sink.write(np.full(800, level, np.int16))
        clock.advance_ms(100)
        sink.close()
        ears._poll()
        clock.advance_ms(100)
    pcm = ears.sound().pcm
    assert [int(pcm[at]) for at in (400, 1200, 2000, 2800)] == [1000, 0, 2000, 0]


def loop_device(path: Path) -> str:
    made = subprocess.run(["losetup", "--find", "--show", str(path)], capture_output=True, text=True, check=False)
    return made.stdout.strip()


@pytest.fixture(params=["file", "loop"])
def card_device(request, tmp_path):
    path = tmp_path / "card"
    path.write_bytes(bytes(2 * 2**20))
    if request.param == "file":
        yield path
        return
    device = loop_device(path)
    if not device:
        pytest.skip("no loop device here: losetup needs root")
    yield Path(device)
    subprocess.run(["losetup", "-d", device], check=True)


def test_a_card_is_written_read_back_and_given_to_the_board(card_device, tmp_path):
    image, went = tmp_path / "image", []
    image.write_bytes(np.random.default_rng(1).bytes(2**20))
    card = MuxCard(card_device, lambda: went.append("host"), lambda: went.append("board"))
    assert card.sha256() == ""
    card.flash(image)
    assert went == ["host", "board"]
    assert card.sha256() == hashlib.sha256(image.read_bytes()).hexdigest()
    with card_device.open("rb") as device:
        assert device.read(2**20) == image.read_bytes()


def test_a_card_that_is_too_small_is_refused(card_device, tmp_path):
    image = tmp_path / "image"
    image.write_bytes(bytes(3 * 2**20))
    with pytest.raises(RigError, match=r"card: .* the image needs 3145728"):
        MuxCard(card_device, lambda: None, lambda: None).flash(image)


def test_a_card_that_never_appears_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("hil.bench.card.APPEARS_S", 0.2)
    with pytest.raises(RigError, match="no card appears"):
        MuxCard(tmp_path / "none", lambda: None, lambda: None).flash(tmp_path)


def test_power_is_switched_by_commands(tmp_path):
    flag = tmp_path / "fed"
    power = CommandPower(["touch", str(flag)], ["rm", "-f", str(flag)])
    assert not power.is_on
    power.on()
    assert (power.is_on, flag.exists()) == (True, True)
    power.cut()
    power.cut()
    assert (power.is_on, flag.exists()) == (False, False)


def test_a_switch_that_fails_is_said():
    with pytest.raises(RigError, match=r"power: .*no such hub"):
        CommandPower(["sh", "-c", "echo no such hub >&2; exit 1"], ["true"]).on()


class ShellLine:
    """A shell behind a socket, with an echo, as on a serial line."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "serial"
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(self.path))
        server.listen()
        threading.Thread(target=self._serve, args=(server,), daemon=True).start()

    def _serve(self, server: socket.socket) -> None:
        import pty

        connection, _ = server.accept()
        leader, follower = pty.openpty()
        shell = subprocess.Popen(
            ["bash", "--norc", "-i"],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "TERM": "vt100"},
        )
        threading.Thread(target=self._copy, args=(leader, connection), daemon=True).start()
        # A client that leaves with output unread resets the line.
        with suppress(ConnectionResetError):
            while data := connection.recv(4096):
                os.write(leader, data)
        shell.kill()
        shell.wait()

    @staticmethod
    def _copy(leader: int, connection: socket.socket) -> None:
        try:
            while data := os.read(leader, 4096):
                connection.sendall(data)
        except OSError:
            return


@pytest.fixture
def console(tmp_path):
    line = ShellLine(tmp_path)
    console = SerialConsole(lambda: SocketLine(line.path))
    yield console
    console.close()


def test_a_console_tells_output_and_status(console):
    assert console.run("echo one; echo two >&2").output.split() == ["one", "two"]
    done = console.run("ls /nowhere-at-all; exit_status() { return 7; }; exit_status")
    assert (done.status, "nowhere-at-all" in done.output) == (7, True)


def test_a_console_waits_no_longer_than_it_may_and_goes_on_after_it(console):
    assert console.run("true").status == 0
    with pytest.raises(RigError, match="console: no answer"):
        console.run("sleep 5", timeout_s=0.3)


def test_a_command_that_reads_does_not_eat_the_line(console):
    assert console.run("cat; echo done").output == "done"
    assert console.run(f"printf %s {shlex.quote('a b')}").output == "a b"


def test_a_console_of_a_board_that_is_off_says_so(tmp_path):
    with pytest.raises(RigError, match="is the board on"):
        SerialConsole(lambda: SocketLine(tmp_path / "none")).run("true")


def test_guest_time_goes_on_over_the_counters_end():
    counters = iter([2**32 - 24, 24, 48])
    clock = GuestClock(lambda _: f"0000000010000030: {next(counters):#010x}", lambda: hda_at(0x10000000))
    first, second, third = clock.now_ns(), clock.now_ns(), clock.now_ns()
    assert (second - first, third - second) == (2000, 1000)
    assert unwrap(5, 5) == 5
    assert pytest.approx(1e9 / 24e6) == NS_PER_TICK


def hda_at(address):
    hda = {"id": {"vendor": 0x8086, "device": 0x2668}, "regions": [{"type": "memory", "address": address}]}
    other = {"id": {"vendor": 0x1AF4, "device": 1}, "regions": []}
    return [{"devices": [other, hda]}]


def test_before_the_guest_has_set_up_its_sound_card_there_is_no_guest_time():
    assert find_bar(hda_at(64)) == 64
    for buses in ([], hda_at(-1)):
        with pytest.raises(RigError, match="sound card"):
            find_bar(buses)


def test_a_bad_cable_in_netems_words():
    assert netem(Link(delay_ms=80, jitter_ms=20, loss=0.02, reorder=0.25)) == [
        "delay", "80ms", "20ms", "loss", "2.0%", "reorder", "25.0%"]  # fmt: skip
    with pytest.raises(RigError, match="reordering needs a delay"):
        netem(Link(reorder=0.1))


def test_a_cable_is_pulled_out_and_put_back():
    name = f"rig{os.getpid() % 100000}"
    made = subprocess.run(
        ["ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}p"], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("no network interfaces of our own here: that needs root")
    try:
        net, state = NicNet(name), Path(f"/sys/class/net/{name}/flags")
        net.plug()
        assert int(state.read_text(), 16) & 1
        net.unplug()
        net.unplug()
        assert not int(state.read_text(), 16) & 1
    finally:
        subprocess.run(["ip", "link", "del", name], check=True)


def test_the_container_s_cable_reaches_each_board_that_is_switched_on():
    def board() -> "subprocess.Popen[bytes]":
        """A process with a network of its own, once it has one."""
        process = subprocess.Popen(["unshare", "-n", "sleep", "60"])
        ours, theirs = Path("/proc/self/ns/net"), Path(f"/proc/{process.pid}/ns/net")
        while process.poll() is None and theirs.readlink() == ours.readlink():
            time.sleep(0.02)
        return process

    def carrier() -> str:
        command = ["nsenter", "-t", str(boards[-1].pid), "-n", "ip", "-br", "link", "show", "host0"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout

    boards = [board()]
    if boards[0].poll() is not None:
        pytest.skip("no network namespaces of our own here: that needs root")
    net = VethNet(lambda: boards[-1].pid)
    if Path("/sys/class/net/mienrig0").exists():
        pytest.skip("a container board runs on this machine")
    try:
        net.plug()
        assert "LOWER_UP" in carrier()
        net.unplug()
        assert "NO-CARRIER" in carrier()
        boards.append(board())  # while the first one's end is still there
        net.plug()
        assert "LOWER_UP" in carrier()
    finally:
        net.close()
        for process in boards:
            process.kill()
            process.wait()
    assert not Path("/sys/class/net/mienrig0").exists()


def test_the_capture_programs_are_asked_for_what_is_read():
    words = v4l2_command("/dev/video9", (640, 360), 60)
    assert words[words.index("-i") + 1] == "/dev/video9"
    assert {"scale=640:360:flags=area", "rgb24", "rawvideo"} <= set(words)
    assert {"S16_LE", "48000", "plughw:1"} <= set(arecord_command("plughw:1"))
    assert struct.calcsize("<h") * BLOCK_FRAMES == 960
