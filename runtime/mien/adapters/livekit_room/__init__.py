"""A kiosk in a LiveKit room: mien speaks an agent's audio stream, the ear's microphone becomes a track.

The agent sends with LiveKit's own DataStreamAudioOutput. Needs the extra livekit-room: the package `livekit` only.
"""

from mien.adapters.livekit_room.version import require_supported

require_supported()  # before the imports, which fail on another release with a message of its own

from mien.adapters.livekit_room.kiosk import Kiosk, RoomError  # noqa: E402

__all__ = ["Kiosk", "RoomError"]
