"""What a supervisor relays, through the client that adapters share."""

import asyncio

from mien.adapters.segments.link import Address, VoiceLink
from mien.adapters.waker import Waker
from mien.client import Relayed, connect_async
from rigs.services import running_voice


def test_a_link_with_the_capability_passes_it_on_as_an_event(tmp_path):
    async def talk(endpoint):
        heard = []
        link = VoiceLink(Address(endpoint, capabilities=("relay",)), Waker())
        link.listen(heard.append)
        link.start()
        assert await link.reached(10)
        async with connect_async(endpoint, role="agent", name="Ada") as ada:
            await ada.relay("note", "Refunded.")
            while not any(isinstance(event, Relayed) for event in heard):
                await asyncio.sleep(0.02)
        await link.close()
        return next(event for event in heard if isinstance(event, Relayed))

    with running_voice(tmp_path) as voice:
        got = asyncio.run(asyncio.wait_for(talk(voice.endpoints[-1]), 30))
    assert (got.kind, got.text, got.sender) == ("note", "Refunded.", "Ada")
