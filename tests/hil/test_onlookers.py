"""Observers of the soak against a voice in a thread: the quick one reads everything, the slow one leaves it lying."""

import time

from hil.onlookers import Onlooker
from rigs.services import PATIENCE_S, running_voice


def test_a_quick_and_a_slow_onlooker_are_told_of_the_conversation(tmp_path):
    with running_voice(tmp_path) as service:
        del service
        endpoint = f"ipc://{tmp_path}/voice.sock"
        quick, slow = Onlooker(endpoint, "quick", slow=False), Onlooker(endpoint, "slow", slow=True)
        for onlooker in (quick, slow):
            onlooker.start()
        try:
            deadline_s = time.monotonic() + PATIENCE_S
            while (quick.read < 5 or slow.read < 2) and time.monotonic() < deadline_s:
                time.sleep(0.02)
        finally:
            for onlooker in (quick, slow):
                onlooker.stop()
        assert quick.read >= 5
        assert slow.read >= 2
