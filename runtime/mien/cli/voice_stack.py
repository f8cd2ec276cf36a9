"""The demo's voice stack: a separate process that drives the voice as an integrator's would.

It prints one JSON object a turn: {"turn", "text", "sent_ns", "latency_ms", "played_ms", "finished_ns"}.
"""

import json
import sys
import time
from collections.abc import Iterator

from mien.cli.tts import find_engine, synthesize
from mien.client import Client, Started, connect
from mien.core.wire import EmotionName
from mien.errors import MienError

SCRIPT: tuple[tuple[str, EmotionName, str], ...] = (
    ("en", "happy", "Welcome! My name is mien. I am the face of your voice agent."),
    ("en", "neutral", "Every word is spoken on this machine. No cloud, no meter, and nothing leaves the room."),
    ("en", "happy", "Please feel free to move me about. Five of my family live on very small boards."),
)
LISTEN_S = 0.8
THINK_S = 0.7


def perform(client: Client) -> Iterator[dict[str, object]]:
    """Speak the script; yields the measurements of each turn."""
    for voice, emotion, text in SCRIPT:
        client.state("listening")
        time.sleep(LISTEN_S)
        client.state("thinking")
        time.sleep(THINK_S)
        client.emotion(emotion, 0.6)
        yield speak(client, text, voice)
    client.state("idle")
    time.sleep(LISTEN_S)


def speak(client: Client, text: str, voice: str) -> dict[str, object]:
    """Speak one turn, streamed chunk by chunk from the TTS engine. Returns its measurements."""
    turn = client.turn()
    sent_ns = 0
    with synthesize(text, find_engine(), voice) as speech:
        for chunk in speech.chunks(client.rate_hz):
            sent_ns = sent_ns or time.monotonic_ns()
            turn.write(chunk)
    turn.end()
    finished = turn.wait()
    latency_ms = None
    while (event := client.poll(0)) is not None:
        if isinstance(event, Started) and event.turn == turn.name:
            latency_ms = event.latency_ms
    return {
        "turn": turn.name,
        "text": text,
        "sent_ns": sent_ns,
        "latency_ms": latency_ms,
        "played_ms": finished.played_ms,
        "finished_ns": time.monotonic_ns(),
    }


def main(endpoint: str) -> None:
    """Speak to the voice at endpoint. Exits 1 with a message when that fails."""
    try:
        with connect(endpoint, rate_hz=16000, name="demo voice stack") as client:
            for measured in perform(client):
                print(json.dumps(measured), flush=True)
    except MienError as error:
        sys.exit(f"voice stack: {error}")


if __name__ == "__main__":
    main(sys.argv[1])
