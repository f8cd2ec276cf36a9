"""LiveKit Agents, in the agent's process: mien in place of the agent's audio output.

    avatar = MienAvatar()
    await session.start(agent=agent, room=ctx.room)
    await avatar.start(session, room=ctx.room)

Needs the extra livekit. Raises ImportError for a version of livekit-agents that is not supported.
"""

from mien.adapters.livekit.version import require_supported

require_supported()  # before the imports, which fail on another release with a message of its own

from mien.adapters.livekit.avatar import MienAvatar  # noqa: E402
from mien.adapters.livekit.output import MienAudioOutput  # noqa: E402

__all__ = ["MienAudioOutput", "MienAvatar"]
