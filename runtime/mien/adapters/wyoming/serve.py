"""The Wyoming services of one kiosk."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from wyoming.server import AsyncEventHandler, AsyncServer

from mien.adapters.guide import LANGUAGE
from mien.adapters.wyoming.handlers import MicHandler, SatelliteHandler, SndHandler
from mien.adapters.wyoming.hearing import RATE_HZ as EAR_RATE_HZ
from mien.adapters.wyoming.hearing import Hearing
from mien.adapters.wyoming.mouth import Mouth
from mien.adapters.wyoming.texts import Texts
from mien.adapters.wyoming.tts import TtsHandler
from mien.client import AsyncClient, connect_async

SERVICE: Final = "_wyoming._tcp.local."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen, and where the voice is. A port of 0 leaves a service out.

    rate_hz: what `snd` asks its clients for; other rates are resampled. tts_uri: the TTS behind the proxy, such as
    tcp://127.0.0.1:10200; empty: no proxy. discoverable: announce the satellite by mDNS. language: of the speech, for
    guided lips; None leaves them to the sound.
    """

    host: str = "127.0.0.1"
    satellite_port: int = 10700
    snd_port: int = 10601
    mic_port: int = 10600
    tts_port: int = 10602
    tts_uri: str = ""
    name: str = "mien"
    rate_hz: int = 22050
    discoverable: bool = False
    language: str | None = LANGUAGE
    endpoint: str | None = None
    key: str | Path | None = None
    voice_key: str | Path | None = None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address of this name."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Service:
    """All services. Use in `async with`. served: the address of each, by its name.

    Entering raises OSError where a port is taken, ConfigError or ClientError where the voice refuses for good.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.served: dict[str, str] = {}
        self._mouth = Mouth(options.rate_hz, options.language)
        self._hearing = Hearing(lambda: self._connect(EAR_RATE_HZ, "wyoming ear"))
        self._texts = Texts()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Service:
        options = self.options
        try:
            self._stack.push_async_callback(self._mouth.close)
            await self._mouth.start(lambda: self._connect(options.rate_hz, "wyoming"))
            self._stack.push_async_callback(self._hearing.close)
            both = (self._mouth, self._texts)
            await self._serve("snd", options.snd_port, partial(SndHandler, *both))
            await self._serve("mic", options.mic_port, partial(MicHandler, self._hearing))
            satellite = partial(SatelliteHandler, *both, self._hearing, options.name)
            await self._serve("satellite", options.satellite_port, satellite)
            if options.tts_uri:
                await self._serve("tts", options.tts_port, partial(TtsHandler, options.tts_uri, self._texts))
            if options.discoverable:
                await self._announce()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _connect(self, rate_hz: int, name: str) -> AsyncClient:
        options = self.options
        return await connect_async(
            options.endpoint, rate_hz=rate_hz, name=name, key=options.key, voice_key=options.voice_key
        )

    async def _serve(self, name: str, port: int, handler: Callable[..., AsyncEventHandler]) -> None:
        if port == 0:
            return
        uri = f"tcp://{_bracketed(self.options.host)}:{port}"
        server = AsyncServer.from_uri(uri)
        await server.start(handler)
        self._stack.push_async_callback(server.stop)
        self.served[name] = uri

    async def _announce(self) -> None:
        """By mDNS, as Home Assistant looks for it."""
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

        port = self.options.satellite_port or self.options.snd_port
        zeroconf = AsyncZeroconf()
        self._stack.push_async_callback(zeroconf.async_close)
        address = _own_address(self.options.host)
        await zeroconf.async_register_service(
            AsyncServiceInfo(
                SERVICE, f"{self.options.name}.{SERVICE}", addresses=[socket.inet_aton(address)], port=port
            )
        )
        self.served["mDNS"] = f"{self.options.name}.{SERVICE} at {address}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _own_address(host: str) -> str:
    """The address to announce: the one that is served, or the one that leads to the network when all are."""
    if host not in ("0.0.0.0", "::", ""):
        return socket.gethostbyname(host)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("224.0.0.251", 1))
        return str(probe.getsockname()[0])


__all__: list[Any] = ["Options", "Service", "is_loopback"]
