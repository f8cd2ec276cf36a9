"""The ear's cleaned microphone as a track of the room."""

from __future__ import annotations

from typing import Final

from livekit import rtc

from mien.adapters.segments.link import VoiceLink, log
from mien.client import ClientError, Ear, NearEnd

RATE_HZ: Final = 16000
BLOCK_FRAMES: Final = 320
QUEUE_MS: Final = 200


async def publish_microphone(room: rtc.Room, link: VoiceLink) -> None:
    """Publish what the ear hears, until cancelled. It goes on over restarts of the voice and of the ear."""
    source = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=QUEUE_MS)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await room.local_participant.publish_track(track, options)
    try:
        await link.reached(None)
        async for heard in link.client.listen("always"):
            if isinstance(heard, NearEnd) and len(heard.data) == 2 * BLOCK_FRAMES:
                await source.capture_frame(rtc.AudioFrame(heard.data, RATE_HZ, 1, BLOCK_FRAMES))
            elif isinstance(heard, Ear):
                log.info("the ear: %s %s", heard.state, heard.why)
    except ClientError as error:
        log.error("no microphone in the room: %s", error)
    finally:
        await source.aclose()
