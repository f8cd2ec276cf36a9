"""LiveKit's own DataStreamAudioOutput as the agent of a kiosk, in the stand-in of a room.

The same kiosk as in tests/adapters/livekit_room; here is the package that has the agent's side. No server is involved.
"""

import asyncio
import contextlib

import pytest
from livekit.agents.voice.avatar import DataStreamAudioOutput

from adapters.livekit.kit import Told, eventually, playout, run, say
from mien.adapters.livekit_room import Kiosk
from mien.adapters.segments.link import Address
from mien.bench.adapters.room_standin import KIND, TOKEN, Server


@contextlib.asynccontextmanager
async def agent_and_kiosk(endpoint):
    server = Server()
    room = server.room("agent", KIND.PARTICIPANT_KIND_AGENT)
    await room.connect("", TOKEN)
    kiosk = Kiosk("", TOKEN, Address(endpoint), microphone=False, make_room=lambda: server.room("kiosk"))
    serving = asyncio.create_task(kiosk.run())
    output = DataStreamAudioOutput(room, destination_identity="kiosk", wait_playback_start=True)
    told = Told(output)
    try:
        await eventually(lambda: kiosk.link.up and kiosk.agent)
        yield server, output, told
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def test_livekits_own_output_is_told_what_was_heard(endpoint):
    async def talk():
        async with agent_and_kiosk(endpoint) as (_, output, told):
            await say(output, 500)
            event = await playout(output)
            assert (event.playback_position, event.interrupted) == (0.5, False)
            assert len(told.started) == told.calls == 1

    run(talk())


def test_an_interruption_is_confirmed_before_livekit_gives_up(endpoint):
    async def talk():
        async with agent_and_kiosk(endpoint) as (_, output, told):
            await say(output, 4000)
            await eventually(lambda: told.started)
            await asyncio.sleep(0.3)
            output.clear_buffer()
            event = await playout(output)
            assert event.interrupted
            assert 0.2 < event.playback_position < 3, "4 s would be what LiveKit assumes after its timeout"
            assert told.calls == 1
            await say(output, 200)
            assert (await playout(output)).playback_position == pytest.approx(0.2)
            assert told.calls == 2

    run(talk())


def test_stereo_at_48_khz(endpoint):
    async def talk():
        async with agent_and_kiosk(endpoint) as (_, output, _told):
            await say(output, 300, rate_hz=48000, channels=2)
            assert (await playout(output)).playback_position == pytest.approx(0.3, abs=0.001)

    run(talk())


def test_the_network_of_the_kiosk_is_lost_in_mid_segment(endpoint):
    async def talk():
        async with agent_and_kiosk(endpoint) as (server, output, told):
            await say(output, 1000)
            await eventually(lambda: told.started)
            server.cut("kiosk")
            assert (await playout(output)).playback_position == pytest.approx(1.0)
            assert told.calls == 1

    run(talk())
