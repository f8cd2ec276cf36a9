"""Piper in its process of another licence."""

import asyncio
import os

import pytest

from mien.config import ConverseConfig
from mien.converse.stages import Speaking

PYTHON = os.environ.get("MIEN_PIPER_PYTHON", "")


def test_a_sentence_is_spoken_trimmed_with_word_times_and_comes_from_the_cache_the_second_time(tmp_path):
    if not PYTHON:
        pytest.fail("MIEN_PIPER_PYTHON names no interpreter with piper-tts; run .ci/test-converse")

    async def speak():
        speaking = Speaking(ConverseConfig(speak="piper", speak_python=PYTHON), tmp_path)
        try:
            await speaking.process.start()
            speaking.process.allow(60)  # a busy machine takes its time; the spare synthesiser must not speak
            first = [sound async for sound in speaking.speak("We are open until six.", "en", 1.0)]
            slow = [sound async for sound in speaking.speak("We are open until six.", "en", 0.6)]
            os.kill(speaking.process.pid, 9)
            again = [sound async for sound in speaking.speak("We are open until six.", "en", 1.0)]
        finally:
            await speaking.close()
        return first, slow, again

    first, slow, again = asyncio.run(speak())
    length = sum(len(sound.pcm) for sound in first)
    assert 0.7 < length / 2 / first[0].rate_hz < 4
    assert [word for word, _, _ in first[-1].words] == ["We", "are", "open", "until", "six."]
    assert sum(len(sound.pcm) for sound in slow) > 1.3 * length
    assert b"".join(sound.pcm for sound in again) == b"".join(sound.pcm for sound in first)
