"""A museum's desk without a framework: OpenAI Realtime speaks through mien, with one tool. Stop it with Ctrl-C.

pip install 'mien[realtime]'; export OPENAI_API_KEY=...; mien run --ear; python examples/realtime_desk.py
"""

import asyncio
import contextlib
import os
import sys

from mien.adapters.realtime import Bridge, Heard, OpenAiRealtime, Settings, Tools
from mien.client import connect_async

HOURS = {"monday": "closed", "tuesday": "10 to 18"}


def opening_hours(day: str) -> str:
    """When the museum is open on a day of the week, such as monday."""
    return HOURS.get(day.lower(), "10 to 18")


def print_heard(heard: Heard) -> None:
    how = f"cut off at {heard.end_ms} ms" if heard.cut else "heard whole"
    print(f"{heard.item}: {heard.played_ms:.0f} of {heard.received_ms:.0f} ms, {how}", flush=True)


async def main(url: str) -> None:
    tools = Tools([opening_hours])
    key = os.environ.get("OPENAI_API_KEY", "")
    asked = Settings("gpt-realtime-2", url, key, instructions="You are the desk of a museum.", tools=tools.schemas())
    async with connect_async(rate_hz=OpenAiRealtime.output_rate_hz, name="desk") as agent:
        await Bridge(agent, OpenAiRealtime(), asked, tools=tools, on_heard=print_heard, say=print).run()


with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
