"""A customer whose words reach mien converse through an ear without a microphone, as mien-ear would send them."""

import time

import numpy as np

from mien.core import ear_bus

MS = 1_000_000
BLOCK = 320
ONSET_MS = 180
LEAD_MS = 300
HANGOVER_MS = 320


class SpeakingCustomer:
    """ear: a FakeEar. say() paces sound as a microphone does. last_ns: when its last sound reached the microphone."""

    def __init__(self, ear):
        self._ear = ear
        self._seq = 0
        self.last_ns = 0

    def say(self, pcm):
        """pcm: int16 at 16 kHz, trimmed of silence. Blocks until the ear has told its end."""
        lead, tail = LEAD_MS * 16, HANGOVER_MS * 16
        sound = np.concatenate([np.zeros(lead, np.int16), pcm, np.zeros(tail + BLOCK, np.int16)])
        began_ns = time.monotonic_ns()
        first_ns = began_ns + LEAD_MS * MS
        blocks = [sound[at : at + BLOCK] for at in range(0, len(sound) - BLOCK + 1, BLOCK)]
        told = (LEAD_MS + ONSET_MS) // 20
        for number, block in enumerate(blocks):
            due_ns = began_ns + (number + 1) * 20 * MS
            time.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)
            if number < told:
                continue
            if number == told:
                self._ear.utterance += 1
                self._ear.report(ear_bus.UserStarted(utterance=self._ear.utterance, at_ns=first_ns, confidence=0.9))
                for early in range(told):
                    self._send(blocks[early], began_ns + early * 20 * MS)
            self._send(block, began_ns + number * 20 * MS)
        self.last_ns = first_ns + len(pcm) * MS // 16
        self._ear.report(
            ear_bus.UserStopped(utterance=self._ear.utterance, at_ns=self.last_ns, started_ns=first_ns, confidence=0.9)
        )

    def _send(self, block, at_ns):
        self._seq += 1
        message = ear_bus.NearEnd(seq=self._seq, at_ns=at_ns, encoding="s16le", speech=True)
        self._ear.report(message, block.astype("<i2").tobytes())
