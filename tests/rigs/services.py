"""mien-voice in a thread of the test, over real sockets and the ideal device."""

import contextlib
import threading
import time

import zmq

from mien.config import AccessConfig, BargeInConfig, Config, EarConfig, JournalConfig, PlaybackConfig, VoiceConfig
from mien.core import wire
from mien.host.clock import MonotonicClock
from mien.voice.service import VoiceService

PATIENCE_S = 10  # timeout for what must happen; no test asserts how fast it happened


@contextlib.contextmanager
def running_voice(run_dir, *, opener=None, voice=None, keys="", journal=None, ear=None, barge_in=None, **playback):
    """A running voice; its local socket is run_dir/voice.sock, its TCP endpoint the last of `endpoints`."""
    config = Config(
        voice=VoiceConfig(**{"listen": ("tcp://127.0.0.1:*",), "progress_ms": 50, **(voice or {})}),
        playback=PlaybackConfig(**{"sink": "null", "rate_hz": 16000, **playback}),
        access=AccessConfig(keys=str(keys)),
        journal=JournalConfig(**(journal or {})),
        ear=EarConfig(**(ear or {})),
        barge_in=BargeInConfig(**(barge_in or {})),
    )
    extra = {} if opener is None else {"opener": opener}
    service = VoiceService(config, run_dir, MonotonicClock(), **extra)
    thread = threading.Thread(target=service.run, name="voice")
    thread.start()
    try:
        yield service
    finally:
        service.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


class RawClient:
    """A raw DEALER socket, for what a client library cannot do."""

    def __init__(self, endpoint, *, key=None, voice_key=None, **options):
        self._context = zmq.Context()
        self.socket = self._context.socket(zmq.DEALER)
        for name, value in options.items():
            setattr(self.socket, name, value)
        if key is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey = key
            self.socket.curve_serverkey = voice_key
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(endpoint)

    def send(self, message, payload=None):
        self.socket.send_multipart([wire.encode(message)] + ([] if payload is None else [payload]))

    def receive(self, *kinds):
        """The next message of one of these types, skipping others."""
        deadline_s = time.monotonic() + PATIENCE_S
        while (left_s := deadline_s - time.monotonic()) > 0:
            if self.socket.poll(left_s * 1000):
                message = wire.decode_voice(self.socket.recv())
                if isinstance(message, kinds):
                    return message
        raise AssertionError(f"none of {[kind.__name__ for kind in kinds]} came")

    def close(self):
        self._context.destroy(linger=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
