"""A board that is ready, as the tests use it: speak, watch, configure, break, and see whether it mends."""

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
    """One turn that is being heard. finished: how it ended; None when the voice was lost."""

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
        """How much of it was heard, as the voice tells."""
        return self.turn.played_ms / 1000

    def wait(self, within_s: float) -> wire.Finished | None:
        """How it ended; None when the voice was lost."""
        self._thread.join(within_s)
        assert not self._thread.is_alive(), f"the turn has not ended within {within_s} s"
        return self.finished


class Board:
    """stages: of a board in state ready."""

    def __init__(self, stages: Stages, findings: Findings) -> None:
        self.stages = stages
        self.rig = stages.rig
        self.findings = findings
        self._clients: list[Client] = []

    def client(self, role: wire.Role = "speaker") -> Client:
        """A session; hung up when the test is over."""
        client = self.rig.voice.connect(role)
        self._clients.append(client)
        return client

    def hang_up(self) -> None:
        """End the sessions, and take back what was configured."""
        for client in self._clients:
            client.close()

    def run(self, command: str, timeout_s: float = 30.0) -> Done:
        """On the board."""
        return self.rig.console.run(command, timeout_s * self.rig.patience)

    def ask(self, command: str) -> str:
        """What a command says. It must succeed."""
        done = self.run(command)
        assert done.status == 0, f"{command}: {done.output}"
        return done.output

    def show(self, unit: str, what: str) -> str:
        """One property of a unit."""
        return self.ask(f"systemctl show -p {what} --value {unit}")

    def pid(self, unit: str) -> int:
        """The main process of a service."""
        return int(self.show(unit, "MainPID"))

    def active(self, *units: str) -> bool:
        """Whether services are up, and told so."""
        return all(self.run(f"systemctl is-active -q {unit}").status == 0 for unit in units)

    def await_active(self, *units: str, within_s: float) -> float:
        """Returns how long it took, in s of this machine's clock."""
        return wait_until(lambda: self.active(*units), within_s * self.rig.patience, f"{' and '.join(units)} active")

    def await_level(self, level: str, within_s: float) -> float:
        """Until the voice's status tells a level. Returns s."""
        return wait_until(
            lambda: self.show("mien-voice", "StatusText").startswith(f"{level},"),
            within_s * self.rig.patience,
            f"level {level}",
        )

    def log(self, unit: str, lines: int = 60) -> str:
        """The newest of a service's log."""
        return self.ask(f"journalctl -q -u {unit} -n {lines} -o cat --no-pager")

    @contextmanager
    def speaking(self, seconds: float, *, heard_first_s: float = 1.0) -> Iterator[Speech]:
        """While a turn is heard; begins when heard_first_s of it were."""
        speech = Speech(self.client(), syllables(seconds))
        wait_until(
            lambda: speech.heard_s() >= heard_first_s or speech.error is not None, 20 * self.rig.patience, "sound"
        )
        yield speech

    def heard(self, speech: Speech) -> Intact | None:
        """The speech in what the ears heard."""
        time.sleep(0.3)
        return compare(without_stalls(self.rig.ears.sound()), speech.pcm)

    def assert_heard_whole(self, speech: Speech, within_s: float = 60.0) -> None:
        """Played to its end, told so once, and every sample heard; most of it from an emulated sound card, which drops
        and repeats samples when its host is busy."""
        finished = speech.wait(within_s * self.rig.patience)
        assert finished is not None, speech.error
        assert (finished.reason, finished.interrupted) == ("played", False)
        whole_ms = len(speech.pcm) / 48
        assert abs(finished.played_ms - whole_ms) < 1.0
        if self.rig.patience > 1:
            time.sleep(3.0)
            share = share_found(self.rig.ears.sound(), speech.pcm)
            self.findings.figure("speech found in what was heard", share, must="above 0.3; an emulated card drops some")
            assert share > 0.3
            return
        found = self.heard(speech)
        assert found is not None, "the speech is not in what was heard"
        self.findings.figure("speech lost", found.missing_ms, "ms", must="0")
        self.note_stalls("sound stood still meanwhile")
        assert found.missing_ms == 0

    def note_stalls(self, what: str) -> None:
        """Write down how long the sound stood still: on a starved machine it does, fault or not."""
        stalls = stalls_ms(self.rig.ears.sound())
        self.findings.figure(what, sum(stalls), "ms", must="0 on a machine of its own", note=f"{len(stalls)} times")

    def say(self, seconds: float = 1.5) -> wire.Finished:
        """A turn on a session of its own."""
        client = self.client()
        return client.say(syllables(seconds))

    def configure(self, unit: str, **settings: str) -> None:
        """Start a service with settings beside its own, until restore(): face_fps="25" is --set face.fps=25."""
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
        """Take back what configure() laid down."""
        for unit in units:
            self.ask(
                f"rm -f {DROP_IN.format(unit=unit)}; systemctl daemon-reload; systemctl reset-failed {unit}; "
                f"systemctl restart --no-block {unit}"
            )
        self.await_active(*units, within_s=60)

    def put_back(self, unit: str, within_s: float) -> None:
        """As it was before configure(). Where a ready board is kept, that one goes on: a face that starts once more
        takes an emulated board minutes."""
        if self.rig.resume is not None:
            self.stages.lost()
            return
        self.restore(unit)
        self.await_level("full", within_s)

    def restarts(self, unit: str) -> int:
        """How often systemd has restarted it."""
        return int(self.show(unit, "NRestarts"))

    def sound_of_mind(self) -> bool:
        """Whether the next test can have this board."""
        try:
            if self.rig.patience > 1 and self._is_well():
                return True  # a turn of speech costs an emulated board ten seconds
            self.run("systemctl reset-failed; systemctl start --no-block mien.target")
            wait_until(lambda: self.active(*SERVICES), 40 * self.rig.patience, "both services")
            self.await_level("full", 30)
            assert self.say(0.3).reason == "played"
            return True
        except Exception:  # whatever it is, the board is not as it was
            return False
        finally:
            self.hang_up()

    def _is_well(self) -> bool:
        found = self.run(f"systemctl is-active {' '.join(SERVICES)} | grep -vcx active; "
                         "systemctl show -p StatusText --value mien-voice").output.split()  # fmt: skip
        # Either level will do: it flips where a picture takes seconds.
        return found[:1] == ["0"] and found[1].startswith(("full", "audio_only"))

    def watch(self, seconds: float, at_most_hz: float = 60.0) -> list[Frame]:
        """What the screen shows meanwhile."""
        return self.rig.screen.record(seconds, at_most_hz)
