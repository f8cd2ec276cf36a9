"""A small server with OpenAI's API that answers as a test says, or hangs where it says."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class UrlServer:
    """answers: what the next requests get: bytes, or a list of pieces in which HANG waits for ever. requests: kept."""

    HANG = object()

    def __init__(self):
        self.answers, self.requests = [], []
        self.released = threading.Event()
        rig = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                rig.requests.append((self.path, dict(self.headers), body))
                answer = rig.answers.pop(0)
                status, pieces = answer if isinstance(answer, tuple) else (200, answer)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.end_headers()
                    for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                        if piece is rig.HANG:
                            rig.released.wait(60)
                        else:
                            self.wfile.write(piece)
                            self.wfile.flush()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def event(content=None, **delta):
    """One event of a streamed chat."""
    delta = {"content": content, **delta} if content is not None else delta
    return b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
