"""VoiceDouble behind a real ROUTER socket in a thread, for tests of the client's sockets."""

import threading
from contextlib import contextmanager

import zmq

from mien.core import wire
from rigs.voice_double import VoiceDouble

STEP_MS = 5


class VoiceServer:
    """Serves one double per connection. playing: whether time advances. mute: answer nothing, as if hung.

    refuse_with: an error with which to answer every hello.
    """

    def __init__(self, endpoint, **double):
        self._double = double
        self.doubles = {}
        self.playing, self.mute, self.refuse_with = True, False, None
        self._stop = threading.Event()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(endpoint)
        self.endpoint = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)
        self._thread = threading.Thread(target=self._serve, name="voice-double")
        self._thread.start()

    @property
    def double(self):
        """The double of the newest connection."""
        return list(self.doubles.values())[-1]

    def received(self, kind):
        """The messages of one type that the newest connection sent."""
        return [message for message in self.double.received if isinstance(message, kind)]

    def stop(self):
        if not self._stop.is_set():
            self._stop.set()
            self._thread.join()
            self._context.destroy(linger=0)

    def _serve(self):
        while not self._stop.is_set():
            if self._socket.poll(STEP_MS):
                identity, *frames = self._socket.recv_multipart()
                if not self.mute:
                    self._answer(identity, frames)
            if self.playing:
                for identity, double in self.doubles.items():
                    self._send(identity, double.play(STEP_MS))

    def _answer(self, identity, frames):
        if self.refuse_with is not None:
            self._send(identity, [self.refuse_with])
            return
        double = self.doubles.setdefault(identity, VoiceDouble(**self._double))
        self._send(identity, double.take(frames))

    def _send(self, identity, messages):
        for message in messages:
            self._socket.send_multipart([identity, wire.encode(message)])


@contextmanager
def served_voice(endpoint, **double):
    server = VoiceServer(endpoint, **double)
    try:
        yield server
    finally:
        server.stop()
