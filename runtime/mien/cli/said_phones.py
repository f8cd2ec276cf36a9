"""Phones of what `mien say` speaks, sent beside the speech so that nothing waits for them."""

import re
import threading
from contextlib import suppress

from mien.client import Turn
from mien.client.phones import PhonesError, phones_of_text
from mien.errors import ClientError

_VOICE_LANGUAGE = re.compile(r"([a-z]{2,3}(-[A-Za-z0-9]+)*)")


def language_of(voice: str) -> str:
    """The language of a TTS engine's voice, as in en-us+f3 or en-US; en for a voice without one, such as awb."""
    found = _VOICE_LANGUAGE.fullmatch(voice.partition("+")[0])
    return found.group(1) if found and (len(found.group(1)) == 2 or "-" in found.group(1)) else "en"


def send_phones(turn: Turn, text: str, language: str) -> threading.Thread:
    """Let a thread find and send a turn's phones. Without espeak-ng, or for a text that it refuses, it sends none."""

    def send() -> None:
        with suppress(PhonesError, ClientError):
            turn.phones(phones_of_text(text, language))

    thread = threading.Thread(target=send, name="phones", daemon=True)
    thread.start()
    return thread
