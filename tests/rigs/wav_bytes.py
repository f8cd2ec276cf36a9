"""WAV files in memory."""

import io
import wave


def make_wav(pcm, *, rate_hz=16000, channels=1):
    """The bytes of a WAV file of s16le samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm)
    return file.getvalue()
