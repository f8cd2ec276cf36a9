"""The command `mien console`."""

import signal
from pathlib import Path

import click

from mien.cli.console_server import open_server
from mien.cli.console_site import check_broker, copy_to, security_headers, site
from mien.errors import ConfigError
from mien.host.exits import exit_codes

_LOOPBACK = ("127.0.0.1", "localhost")


@click.command()
@click.option("--listen", default="127.0.0.1:8080", show_default=True, metavar="HOST:PORT", help="Port 0: a free one.")
@click.option(
    "--broker", default="", metavar="URL", help="The broker that the page proposes, such as wss://HOST:8084/mqtt."
)
@click.option(
    "--copy-to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the page's files there for another web server, and end.",
)
def console(listen: str, broker: str, folder: Path | None) -> None:
    """Serve the supervisor's page: all kiosks of a broker, live, and takeover by voice.

    \b
    Examples: mien console
              mien console --broker wss://broker.example:8084/mqtt
              mien console --copy-to /var/www/mien

    The page connects to the broker by itself; this server only hands out its files.
    Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 the address is in use, 2 bad usage.
    """
    with exit_codes("mien console", OSError):
        if broker:
            check_broker(broker)
        if folder is not None:
            click.echo(f"mien console: {copy_to(folder, broker)} files in {folder}", err=True)
            return
        host, port = _address(listen)
        with open_server(host, port, site(broker), security_headers(broker)) as server:
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            click.echo(f"mien console: http://{host}:{server.server_port}/", err=True)
            if host not in _LOOPBACK:
                click.echo("mien console: browsers give the microphone to https and to this machine only", err=True)
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return


def _address(text: str) -> tuple[str, int]:
    """Raises ConfigError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"--listen {text}: use HOST:PORT, such as 127.0.0.1:8080")
    return host, int(port)
