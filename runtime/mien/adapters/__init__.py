"""Bridges from voice-agent frameworks to mien's client: one module a framework, each behind an extra of its own.

    livekit       LiveKit Agents, in the agent's process           mien[livekit]
    livekit_room  a kiosk that joins a LiveKit room                mien[livekit-room]
    pipecat       Pipecat's output and input transports            mien[pipecat]
    wyoming       Home Assistant's satellite protocol              mien[wyoming]
    realtime      OpenAI Realtime, and its relatives               mien[realtime]
    http          plain text or WAV over HTTP on loopback          mien[http]

An adapter stands on mien.client alone. Importing this package imports none of them.
"""
