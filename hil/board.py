"""The test's view of a ready board: speak, watch, configure, inject faults, check recovery."""

import shlex
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hil.analysis.intact import Intact, compare, share_found, without_stalls
from hil.analysis.onsets import stalls_ms
from hil.captured import Frame
from hil.contracts import Done
from hil.report.findings import Findings
from hil.speech import Pcm, syllables
from hil.stages import Stages, wait_until
from mien.client import Client
from mien.core import wire
from mien.errors import ClientError

SERVICES = ("mien-voice", "mien-face")
DROP_IN = "/run/systemd/system/{unit}.service.d/rig-test.conf"


class Speech:
    """A turn being played, written from a thread of its own. finished: None if the voice was lost."""

    def __init__(self, client: Client, pcm: Pcm) -> None:
        self.pcm = pcm
        self.finished: wire.Finished | None = None
        self.error: ClientError | None = None
        self.turn = client.turn()
        self._thread = threading.Thread(target=self._speak, daemon=True)
        self._thread.start()

    def _speak(self) -> None:
        try:
            self.turn.write(self.pcm)
            self.finished = self.turn.wait()
        except ClientError as error:
            self.error = error

    def heard_s(self) -> float:
        """How much has been heard, as reported by the voice."""
        return self.turn.played_ms / 1000

    def wait(self, within_s: float) -> wire.Finished | None:
        """How the turn ended; None if the voice was lost."""
        self._thread.join(within_s)
        assert not self._thread.is_alive(), f"the turn has not ended within {within_s} s"
        return self.finished


class Board:
    """stages: of a board in state READY."""

    def __init__(self, stages: Stages, findings: Findings) -> None:
        self.stages = stages
        self.rig = stages.rig
        self.findings = findings
        self._clients: list[Client] = []

    def client(self, role: wire.Role = "speaker") -> Client:
        """Open a session; it is closed when the test ends."""
        client = self.rig.voice.connect(role)
        self._clients.append(client)
        return client

    def hang_up(self) -> None:
        """Close all sessions."""
        for client in self._clients:
            client.close()

    def run(self, command: str, timeout_s: float = 30.0) -> Done:
        """Run a shell command on the board; timeout_s is scaled by the rig's patience."""
        return self.rig.console.run(command, timeout_s * self.rig.patience)

    def ask(self, command: str) -> str:
        """The output of a command that must succeed."""
        done = self.run(command)
        assert done.status == 0, f"{command}: {done.output}"
        return done.output

    def show(self, unit: str, what: str) -> str:
        """One property of a unit."""
        return self.ask(f"systemctl show -p {what} --value {unit}")

    def pid(self, unit: str) -> int:
        """Main PID of a service."""
        return int(self.show(unit, "MainPID"))

    def active(self, *units: str) -> bool:
        """Whether all these units are active."""
        return all(self.run(f"systemctl is-active -q {unit}").status == 0 for unit in units)

    def await_active(self, *units: str, within_s: float) -> float:
        """Wait until the units are active. Returns how long it took, in s of this machine's clock."""
        return wait_until(lambda: self.active(*units), within_s * self.rig.patience, f"{' and '.join(units)} active")

    def await_level(self, level: str, within_s: float) -> float:
        """Wait until the voice's status reports a degradation level. Returns how long it took, in s."""
        return wait_until(
            lambda: self.show("mien-voice", "StatusText").startswith(f"{level},"),
            within_s * self.rig.patience,
            f"level {level}",
        )

    def log(self, unit: str, lines: int = 60) -> str:
        """The newest lines of a service's log."""
        return self.ask(f"journalctl -q -u {unit} -n {lines} -o cat --no-pager")

    @contextmanager
    def speaking(self, seconds: float, *, heard_first_s: float = 1.0) -> Iterator[Speech]:
        """Play a turn in the background; the block starts once heard_first_s have been heard."""
        speech = Speech(self.client(), syllables(seconds))
        wait_until(
            lambda: speech.heard_s() >= heard_first_s or speech.error is not None, 20 * self.rig.patience, "sound"
        )
        yield speech

    def heard(self, speech: Speech) -> Intact | None:
        """Locate the speech in the captured sound; None if it is not there."""
        time.sleep(0.3)
        return compare(without_stalls(self.rig.ears.sound()), speech.pcm)

    def assert_heard_whole(self, speech: Speech, within_s: float = 60.0) -> None:
        """Assert that the turn finished as played and that every sample was heard.

        An emulated sound card drops and repeats samples when its host is busy: there, most of the speech must be heard.
        """
        finished = speech.wait(within_s * self.rig.patience)
        assert finished is not None, speech.error
        assert (finished.reason, finished.interrupted) == ("played", False)
        whole_ms = len(speech.pcm) / 48
        assert abs(finished.played_ms - whole_ms) < 1.0
        if self.rig.patience > 1:
            time.sleep(3.0)
            share = share_found(self.rig.ears.sound(), speech.pcm)
            self.findings.figure(
                "speech found in the captured sound", share, must="above 0.3; an emulated card drops some"
            )
            assert share > 0.3
            return
        found = self.heard(speech)
        assert found is not None, "the speech is not in the captured sound"
        self.findings.figure("speech lost", found.missing_ms, "ms", must="0")
        self.note_stalls("sound stalled meanwhile")
        assert found.missing_ms == 0

    def note_stalls(self, what: str) -> None:
        """Record how long the sound stalled: on a busy machine it does so even without a fault."""
        stalls = stalls_ms(self.rig.ears.sound())
        self.findings.figure(what, sum(stalls), "ms", must="0 on a dedicated machine", note=f"{len(stalls)} times")

    def say(self, seconds: float = 1.5) -> wire.Finished:
        """Play a turn in a session of its own."""
        client = self.client()
        return client.say(syllables(seconds))

    def configure(self, unit: str, **settings: str) -> None:
        """Restart a service with extra settings until restore(): face_fps="25" becomes --set face.fps=25."""
        words = " ".join(
            f"--set {shlex.quote(name.replace('_', '.', 1) + '=' + value)}" for name, value in settings.items()
        )
        path = DROP_IN.format(unit=unit)
        text = f"[Service]\nExecStart=\nExecStart=/usr/bin/{unit} {words}\n"
        self.ask(
            f"mkdir -p $(dirname {path}) && printf %s {shlex.quote(text)} >{path} && systemctl daemon-reload "
            f"&& systemctl restart --no-block {unit}"
        )

    def restore(self, *units: str) -> None:
        """Undo configure()."""
        for unit in units:
            self.ask(
                f"rm -f {DROP_IN.format(unit=unit)}; systemctl daemon-reload; systemctl reset-failed {unit}; "
                f"systemctl restart --no-block {unit}"
            )
        self.await_active(*units, within_s=60)

    def put_back(self, unit: str, within_s: float) -> None:
        """Undo configure(). A rig with a saved ready board resumes that instead: restarting the face takes an emulated
        board minutes."""
        if self.rig.resume is not None:
            self.stages.lost()
            return
        self.restore(unit)
        self.await_level("full", within_s)

    def restarts(self, unit: str) -> int:
        """How often systemd has restarted it."""
        return int(self.show(unit, "NRestarts"))

    def is_fit(self) -> bool:
        """Whether the board is fit for the next test."""
        try:
            if self.rig.patience > 1 and self._is_well():
                return True  # a turn of speech takes an emulated board ten seconds
            self.run("systemctl reset-failed; systemctl start --no-block mien.target")
            wait_until(lambda: self.active(*SERVICES), 40 * self.rig.patience, "both services")
            self.await_level("full", 30)
            assert self.say(0.3).reason == "played"
            return True
        except Exception:  # any failure means that the board is not fit
            return False
        finally:
            self.hang_up()

    def _is_well(self) -> bool:
        found = self.run(f"systemctl is-active {' '.join(SERVICES)} | grep -vcx active; "
                         "systemctl show -p StatusText --value mien-voice").output.split()  # fmt: skip
        # Either level will do: it flips while a frame takes seconds to draw.
        return found[:1] == ["0"] and found[1].startswith(("full", "audio_only"))

    def watch(self, seconds: float, at_most_hz: float = 60.0) -> list[Frame]:
        """Capture the screen for so long."""
        return self.rig.screen.record(seconds, at_most_hz)
