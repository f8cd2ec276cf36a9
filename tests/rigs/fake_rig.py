"""A rig with a fake board, for testing code that uses rigs."""

import numpy as np

from hil.captured import Frame, Sound
from hil.contracts import Done
from hil.errors import RigError
from hil.rig import Rig
from hil.speech import clicks
from hil.voice import RATE_HZ

BOOT_ID = "boot {}"


class FakeBoard:
    """broken: the parts that do not work. Everything else behaves as on a working bench."""

    def __init__(self, *broken):
        self.broken = set(broken)
        self.calls = []
        self.fed, self.boots, self.cable, self.flashed = True, 0, True, ""
        self.now_ns = 1
        self.said = None

    def _need(self, part):
        if part in self.broken:
            raise RigError(part, "is broken")

    # power
    @property
    def is_on(self):
        return self.fed

    def on(self):
        self._need("power")
        self.calls.append("on")
        self.boots += not self.fed
        self.fed = True

    def cut(self):
        self.calls.append("cut")
        if "switch" not in self.broken:
            self.fed = False

    # console
    def run(self, command, timeout_s=30.0):
        self._need("console")
        if not self.fed:
            raise RigError("console", "the board is off")
        answers = {
            "echo rig": "rig",
            "boot_id": BOOT_ID.format(self.boots),
            "uptime": "4.2",
            "carrier": str(int(self.cable)),
            "systemctl show -p ActiveState,ConditionResult": "0",
            "journalctl": "mien-face: ActiveState=failed\n    ModuleNotFoundError: No module named 'mien'",
        }
        return Done(0, next((said for words, said in answers.items() if words in command), ""))

    # screen
    def frame(self):
        self._need("screen")
        self.now_ns += 30_000_000
        pixels = np.full((24, 32, 3), 90, np.uint8)
        pixels[10:, 5:20] = 0 if "black" in self.broken else 200
        return Frame(self.now_ns, pixels * ("black" not in self.broken))

    def record(self, seconds, at_most_hz=60.0):
        return [self.frame() for _ in range(3)]

    # ears
    def start(self):
        self._need("ears")

    def sound(self):
        heard = clicks(2000)
        return Sound(0, RATE_HZ, heard * (0 if "cable of the ear" in self.broken else 1))

    # net
    def plug(self):
        self.cable = True

    def unplug(self):
        self.cable = "net" in self.broken

    def shape(self, link):
        self._need("net")

    # card
    def flash(self, image):
        self._need("card")
        self.calls.append("flash")
        self.flashed = "f" * 64

    def sha256(self):
        return self.flashed

    # voice stack
    def connect(self, role="speaker"):
        self._need("voice stack")
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ping(self):
        return 0.1

    def say(self, pcm):
        self.said = pcm

    def close(self):
        pass


def fake_rig(*broken):
    """A fake board, with its rig."""
    board = FakeBoard(*broken)
    rig = Rig(
        name="fake",
        emulated="all of it",
        patience=0.001,
        clock=lambda: board.now_ns,
        screen=board,
        ears=board,
        power=board,
        net=board,
        console=board,
        card=board,
        voice=board,
        last_words=lambda: "Kernel panic",
    )
    return board, rig
