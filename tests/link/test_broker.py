"""The connection to a real mosquitto: status, Will, outages, names for what goes wrong."""

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from link.link_rig import PLACE, check, link_config, listening, running, until
from mien.fleet.event import Level
from mien.link import broker as broker_module
from mien.link.service import LinkService
from rigs.mosquitto import Authority, Mosquitto, free_port


def trouble(service: LinkService) -> str:
    return service.snapshot.trouble


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_board_tells_its_status_health_and_discovery(tmp_path: Path, broker: Mosquitto, protocol: int) -> None:
    async def play() -> None:
        config = link_config(broker.port, broker={"protocol": protocol})
        async with listening(broker.port) as listener, running(config, tmp_path):
            await until(lambda: listener.payloads("status") and listener.payloads("health"))
            status = listener.payloads("status")[-1]
            assert (status["online"], status["site"], status["board"]) == (True, "museum", "lobby")
            assert (status["level"], status["slot"]) == ("no_voice", "A")
            check("status", status)
            check("health", listener.payloads("health")[-1])
            topic = "homeassistant/device/mien_museum_lobby/config"
            await until(lambda: any(at == topic for at, _, _ in listener.heard))
            await until(lambda: any(each["type"] == "link" for each in listener.payloads("event")))
            for event in listener.payloads("event"):
                check("event", event)
        async with listening(broker.port) as late:
            await until(lambda: late.payloads("status"))
            assert late.payloads("status")[-1] == {"online": False}  # stopped, so it said goodbye itself
            assert late.heard[0][2]  # retained

    asyncio.run(play())


def test_a_board_that_dies_is_told_offline_by_its_will(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        async with listening(broker.port) as listener:
            service = LinkService(link_config(broker.port), tmp_path / "link.toml", tmp_path)
            task = asyncio.create_task(service.run())
            await until(lambda: listener.payloads("status"))
            await until(lambda: service.snapshot.connected)
            connection = service.broker.client
            assert connection is not None
            connection._client._sock.shutdown(socket.SHUT_RDWR)  # the board's power is gone
            await until(lambda: listener.payloads("status")[-1] == {"online": False} or trouble(service))
            await until(lambda: {"online": False} in listener.payloads("status"))
            await until(lambda: listener.payloads("status")[-1]["online"])  # and this one is back
            service.stop()
            await task

    asyncio.run(play())


@pytest.mark.parametrize(("protocol", "count"), [(4, 1000), (5, 8640)])
def test_no_event_of_an_outage_is_lost_and_the_order_stays(
    tmp_path: Path, broker: Mosquitto, protocol: int, count: int
) -> None:
    """A day's outage at an event in ten seconds is 8,640 events; here they come at once."""

    async def play() -> None:
        config = link_config(broker.port, broker={"protocol": protocol, "retry_max_s": 1})
        async with running(config, tmp_path) as service:
            await until(lambda: service.snapshot.connected)
            broker.kill()
            await until(lambda: not service.snapshot.connected)
            for number in range(count):
                service.parts.tell(Level(queue="", seq=0, level=f"{number}"))
                if number % 500 == 0:
                    await asyncio.sleep(0.3)  # written to the card
            broker.start()
            seen: list[int] = []
            async with listening(broker.port) as listener:
                await until(lambda: service.events.waiting == 0, 90)
                last = service.events.last
                await until(lambda: any(b'"seq":%d,' % last in heard[1] for heard in listener.heard[-50:]), 60)
                seen = [each["seq"] for each in listener.payloads("event")]
                levels = [each["level"] for each in listener.payloads("event") if each["type"] == "level"]
            # The listener may have come a moment later than the link.
            first = seen[0]
            assert sorted(set(seen)) == list(range(first, last + 1))
            assert seen == sorted(seen) or len(seen) > len(set(seen))
            assert list(dict.fromkeys(levels)) == [str(number) for number in range(count)][-len(set(levels)) :]
            assert service.events.dropped == 0
            assert first < 100

    asyncio.run(play())


@pytest.mark.parametrize("protocol", [4, 5])
def test_two_boards_with_one_name_are_noticed(tmp_path: Path, broker: Mosquitto, protocol: int) -> None:
    """A broker of MQTT 5 says so; one of 3.1.1 just closes, again and again."""

    async def play() -> None:
        one, two = tmp_path / "one", tmp_path / "two"
        one.mkdir()
        two.mkdir()
        config = link_config(broker.port, broker={"protocol": protocol})
        async with running(config, one) as first, running(config, two) as second:
            told: set[str] = set()

            def noticed() -> bool:
                told.update((trouble(first), trouble(second)))
                return "taken_over" in told

            await until(noticed)
            await until(lambda: _tells(first, second))

    def _tells(*services: LinkService) -> bool:
        return any(b"taken_over" in each.payload for service in services for each in service.events.after(0, 50))

    asyncio.run(play())


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A captive portal: it accepts every connection and answers with this."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1000)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


async def named(config_port: int, folder: Path, wanted: str, **broker: object) -> None:
    """A link that meets this trouble names it, and goes on."""
    config = link_config(config_port, broker=broker)
    async with running(config, folder) as service:
        await until(lambda: trouble(service) == wanted or (trouble(service) and pytest.fail(trouble(service))))
        assert service.broker.state.startswith(f"{wanted}: ")
        assert not service.snapshot.connected


def test_nobody_there(tmp_path: Path) -> None:
    asyncio.run(named(free_port(), tmp_path, "refused"))


def test_a_name_without_an_address(tmp_path: Path) -> None:
    asyncio.run(named(1883, tmp_path, "no_address", host="broker.invalid"))


def test_a_captive_portal_without_tls(tmp_path: Path) -> None:
    Authority(tmp_path)
    with answering(b"HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n") as port:
        asyncio.run(named(port, tmp_path, "not_tls", tls=True, host="localhost"))


def test_something_that_closes_at_once(tmp_path: Path) -> None:
    with answering(b"") as port:
        asyncio.run(named(port, tmp_path, "closed_unanswered"))


class ForgetfulBroker:
    """Speaks MQTT 3.1.1 up to the subscription, then takes everything and confirms nothing."""

    def __init__(self) -> None:
        self.connections = 0

    async def __aenter__(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.read(4096)
        writer.write(bytes((0x20, 2, 0, 0)))
        subscribe = await reader.read(4096)
        writer.write(bytes((0x90, 5, *subscribe[2:4], 1, 1, 1)))
        while await reader.read(4096):
            pass
        writer.close()


def test_a_broker_that_confirms_nothing_is_left_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "LEAST_PATIENCE_S", 0.5)
    monkeypatch.setattr(broker_module, "PATIENCE_KEEPALIVES", 0.0)

    async def play() -> None:
        forgetful = ForgetfulBroker()
        async with forgetful as port:
            config = link_config(port, broker={"protocol": 4, "retry_max_s": 1})
            async with running(config, tmp_path) as service:
                await until(lambda: trouble(service) == "timeout")
                await until(lambda: forgetful.connections >= 2)
                assert service.events.waiting > 0  # nothing counts as told

    asyncio.run(play())


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_broker_that_sends_without_end_is_left(tmp_path: Path, protocol: int) -> None:
    """256 MB are what a packet of MQTT may have."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(bytes((0x20, 2, 0, 0)) if protocol == 4 else bytes((0x20, 3, 0, 0, 0)))
        subscribe = await reader.read(4096)
        granted = bytes((*subscribe[2:4], *([] if protocol == 4 else [0]), 1, 1, 1))
        writer.write(bytes((0x90, len(granted))) + granted)
        writer.write(bytes((0x30, 0xFF, 0xFF, 0xFF, 0x7F)))
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(bytes(10_000))
                await writer.drain()
                await asyncio.sleep(0.01)

    async def play() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with running(link_config(port, broker={"protocol": protocol}), tmp_path) as service:
            await until(lambda: trouble(service) == "oversized")
        server.close()

    asyncio.run(play())


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_broker_that_sends_anything_does_not_end_the_link(tmp_path: Path, protocol: int) -> None:
    chance = random.Random(protocol)
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.read(4096)
        if chance.random() < 0.7:
            writer.write(bytes((0x20, 2, 0, 0)) if protocol == 4 else bytes((0x20, 3, 0, 0, 0)))
        writer.write(chance.randbytes(chance.choice((1, 20, 400))))
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()

    async def play() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        config = link_config(port, broker={"protocol": protocol, "retry_max_s": 1})
        async with running(config, tmp_path) as service:
            for _ in range(12):
                service._network.changed.set()  # do not wait out the backoff
                before = connections
                await until(lambda before=before: connections > before, 30)
            assert service.events.waiting > 0
        server.close()

    asyncio.run(play())


def test_a_broker_that_lost_its_memory_is_told_everything_again(tmp_path: Path, broker: Mosquitto) -> None:
    async def play() -> None:
        config = link_config(broker.port, broker={"retry_max_s": 1})
        async with running(config, tmp_path) as service:
            await until(lambda: service.snapshot.connected)
            broker.kill()
            await until(lambda: not service.snapshot.connected)
            broker.start()
            await until(lambda: service.snapshot.connected)
            async with listening(broker.port) as listener:
                wanted = {PLACE.topic("status"), PLACE.topic("health"), "homeassistant/device/mien_museum_lobby/config"}
                await until(lambda: wanted <= {topic for topic, _, _ in listener.heard})
                assert listener.payloads("status")[-1]["online"]

    asyncio.run(play())


def tls_lines(authority: Authority, certificate: Path) -> tuple[str, ...]:
    return (
        f"cafile {authority.path}",
        f"certfile {certificate}",
        f"keyfile {certificate.with_suffix('.key')}",
        "require_certificate true",
        "use_identity_as_username true",
    )


class Site:
    """A fleet's site: an authority, a broker's certificate, a board's."""

    def __init__(self, folder: Path, **server: int) -> None:
        folder.chmod(0o755)
        self.folder = folder
        self.authority = Authority(folder)
        self.server = self.authority.issue("server", "localhost", **{"host": "localhost", **server})
        self.board = self.authority.issue("board", PLACE.user)
        self.settings: dict[str, object] = {
            "tls": True,
            "host": "localhost",
            "ca": "ca.crt",
            "certificate": "board.crt",
            "key": "board.key",
        }

    def broker(self) -> Mosquitto:
        return Mosquitto(self.folder, *tls_lines(self.authority, self.server), anonymous=False)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("protocol", [4, 5])
def test_a_certificate_opens_the_door(site: Site, protocol: int) -> None:
    async def play(port: int) -> None:
        config = link_config(port, broker={**site.settings, "protocol": protocol})
        async with running(config, site.folder) as service:
            await until(lambda: service.snapshot.connected)

    with site.broker() as broker:
        asyncio.run(play(broker.port))


def test_another_authority_is_not_trusted(site: Site, tmp_path: Path) -> None:
    Authority(tmp_path, "other")
    with site.broker() as broker:
        asyncio.run(named(broker.port, site.folder, "untrusted", **{**site.settings, "ca": "other.crt"}))


def test_another_host_name_is_refused(site: Site) -> None:
    with site.broker() as broker:
        asyncio.run(named(broker.port, site.folder, "wrong_name", **{**site.settings, "host": "127.0.0.1"}))


def test_a_brokers_expired_certificate_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path, begins=-20, ends=-1)
    with site.broker() as broker:
        asyncio.run(named(broker.port, tmp_path, "broker_expired", **site.settings))


def test_a_boards_expired_certificate_is_named_before_the_broker_hides_it(site: Site) -> None:
    site.authority.issue("board", PLACE.user, begins=-20, ends=-1)
    with site.broker() as broker:
        asyncio.run(named(broker.port, site.folder, "certificate_expired", **site.settings))


def test_a_board_of_another_authority_is_told_what_the_broker_dislikes(site: Site, tmp_path: Path) -> None:
    Authority(tmp_path, "other").issue("board", PLACE.user)
    with site.broker() as broker:
        asyncio.run(named(broker.port, site.folder, "closed_unanswered", **site.settings))


def test_a_missing_file_is_named_and_waited_for(site: Site) -> None:
    async def play(port: int) -> None:
        (site.folder / "board.crt").rename(site.folder / "away.crt")
        async with running(link_config(port, broker={**site.settings, "retry_max_s": 1}), site.folder) as service:
            await until(lambda: trouble(service) == "unusable_file")
            assert "board.crt" in service.broker.state
            (site.folder / "away.crt").rename(site.folder / "board.crt")
            await until(lambda: service.snapshot.connected)

    with site.broker() as broker:
        asyncio.run(play(broker.port))


@pytest.mark.parametrize("protocol", [4, 5])
def test_refused_credentials_are_named(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "secret").write_text("wrong\n")
    with Mosquitto(tmp_path, anonymous=False) as broker:
        asyncio.run(
            named(
                broker.port,
                tmp_path,
                "not_authorized",
                user=PLACE.user,
                password_file="secret",
                protocol=protocol,
            )
        )


def test_a_clock_in_1970_is_named(site: Site) -> None:
    """OpenSSL looks at the process's own clock, so the broker's certificate is given a beginning in the future."""
    future = Site(site.folder, begins=10, ends=20)

    async def play(port: int) -> None:
        config = link_config(port, broker=future.settings)
        async with running(config, site.folder, now_s=lambda: 5.0) as service:
            await until(lambda: trouble(service))
            assert trouble(service) == "clock_unset"
            assert service.snapshot.status.clock == "unset"

    with future.broker() as broker:
        asyncio.run(play(broker.port))
