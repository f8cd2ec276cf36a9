"""The commands of `mien fleet` that enrol: new, board, user."""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path
from typing import Final

import click

from mien.cli.fleet_folder import BRING, need_cryptography, opened, told
from mien.enrolment.boards_csv import Wanted, read_boards
from mien.enrolment.registry import FleetRecord
from mien.errors import ConfigError
from mien.fleet.topics import ROLES, Role
from mien.host.exits import exit_codes

_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_PORT: Final = click.IntRange(1, 65_535)
_DAYS: Final = click.IntRange(1, 20 * 365)


@click.command()
@click.argument("site", required=False)
@click.option(
    "--broker", "hosts", multiple=True, metavar="HOST", help="Names or addresses of the broker [this machine]."
)
@click.option("--board-port", type=_PORT, default=8883, show_default=True, help="For boards: MQTT over TLS.")
@click.option("--people-port", type=_PORT, default=8884, show_default=True, help="For people: WebSockets over TLS.")
@click.option(
    "--etc", default="/etc/mosquitto/mien", show_default=True, help="The files' folder on the broker's machine."
)
@click.option(
    "--http-dir", default="", help="A folder of web pages there, which the broker serves on the people's port."
)
@click.option("--renew-ca", is_flag=True, help="Make a second authority for a fleet that exists; both are trusted.")
@click.option(
    "--drop-old-ca", is_flag=True, help="Trust the second authority only, and issue the broker's certificate anew."
)
@click.option("--force", is_flag=True, help="With --drop-old-ca: even where boards have no new certificate yet.")
@click.pass_obj
def new(
    folder: Path | None,
    site: str | None,
    hosts: tuple[str, ...],
    board_port: int,
    people_port: int,
    etc: str,
    http_dir: str,
    renew_ca: bool,
    drop_old_ca: bool,
    force: bool,
) -> None:
    """Make a fleet's folder: authority, the broker's certificate, access list and mosquitto.conf.

    \b
    Examples: mien fleet new berlin --broker broker.example --broker 192.0.2.7
              mien fleet --folder berlin new --renew-ca
    """
    with exit_codes("mien fleet"):
        if renew_ca and drop_old_ca:
            raise click.UsageError("--renew-ca and --drop-old-ca are two steps: all boards need new files between them")
        if renew_ca or drop_old_ca:
            _change_authority(folder, drop=drop_old_ca, force=force)
            return
        if site is None:
            raise click.UsageError("name the SITE, such as berlin")
        need_cryptography()
        from mien.enrolment.fleet import Fleet

        for text in (etc, http_dir):
            if not re.fullmatch(r"(/[A-Za-z0-9._/-]*)?", text):
                raise click.UsageError(f"{text!r}: an absolute path of letters, digits, '.', '-' and '_'")
        record = FleetRecord(
            site=site, hosts=_hosts(hosts), board_port=board_port, people_port=people_port, etc=etc, http_dir=http_dir
        )
        where = folder or Path(site)
        Fleet.make(where, record)
    click.echo(
        f"made the fleet {site} in {told(where)}: keep it private, and keep a backup of {told(where / 'ca')}.\n"
        f"The broker is reached as {', '.join(record.hosts)}.\n"
        f"Its files are in {told(where / 'broker')}: mien.conf belongs into /etc/mosquitto/conf.d, the others into\n"
        f"{etc}.\n"
        "Next: mien fleet board NAME, mien fleet user NAME"
    )


def _change_authority(folder: Path | None, *, drop: bool, force: bool) -> None:
    with opened(folder) as fleet:
        if drop:
            left = fleet.drop_old(force=force)
            click.echo(f"only the authority {fleet.record.authorities[-1]} is trusted now; restart the broker")
            for name in left:
                click.echo(f"{name} can no longer sign in: mien fleet rotate {name}", err=True)
            return
        made = fleet.add_authority()
    click.echo(
        f"made the authority {made}; both are trusted. {BRING.capitalize()}.\n"
        "Then give every board new files (mien fleet rotate --all), and when all are back: mien fleet new --drop-old-ca"
    )


@click.command()
@click.argument("name", required=False)
@click.option("--site", default="", help="Another site than the fleet's.")
@click.option(
    "--csv", "batch", type=click.Path(path_type=Path), help="Many boards: columns name, site, said, captions, ear."
)
@click.option(
    "--zip", "packed", type=click.Path(path_type=Path), help="A zip (of --csv: a folder for zips) in place of files."
)
@click.option("--said", is_flag=True, help="The board tells the text of what was said.")
@click.option("--captions", is_flag=True, help="People who watch may read captions.")
@click.option("--ear", is_flag=True, help="Agents and operators may hear the microphone.")
@click.option("--days", type=_DAYS, default=1095, show_default=True, help="How long its certificate is valid.")
@click.pass_obj
def board(
    folder: Path | None,
    name: str | None,
    site: str,
    batch: Path | None,
    packed: Path | None,
    said: bool,
    captions: bool,
    ear: bool,
    days: int,
) -> None:
    """Enrol a board: a certificate and link.toml, for its card.

    \b
    Examples: mien fleet board kiosk-7
              mien fleet board --csv boards.csv
    """
    with exit_codes("mien fleet"):
        if (name is None) == (batch is None):
            raise click.UsageError("name one board, or a file of many with --csv")
        wanted = [Wanted(name, site, said, captions, ear)] if name else read_boards(batch or Path())
        with opened(folder) as fleet:
            made = fleet.enrol_all(wanted, days=days, packed=packed)
    for path in made:
        click.echo(told(path))
    click.echo(
        f"{len(made)} enrolled. Copy each folder mien onto the first partition of its card, and delete it here. "
        f"Then {BRING}",
        err=True,
    )


@click.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(list(ROLES)), default=ROLES[0], show_default=True, help="What the person may do."
)
@click.option("--site", "sites", multiple=True, help="Only these sites [all].")
@click.option("--certificate", is_flag=True, help="For a program: it signs in with a certificate at the boards' port.")
@click.option("--home-assistant", is_flag=True, help="May read what boards tell Home Assistant about themselves.")
@click.option("--keep-password", is_flag=True, help="Also write the password beside fleet.toml.")
@click.option("--remove", is_flag=True, help="End the person's access.")
@click.pass_obj
def user(
    folder: Path | None,
    name: str,
    role: Role,
    sites: tuple[str, ...],
    certificate: bool,
    home_assistant: bool,
    keep_password: bool,
    remove: bool,
) -> None:
    """Let a person or a program sign in at the broker. The password is shown once.

    \b
    Examples: mien fleet user anna --role agent
              mien fleet user anna --remove
    """
    with exit_codes("mien fleet"), opened(folder) as fleet:
        if remove:
            fleet.remove_user(name)
            click.echo(f"{name} is removed once you {BRING}")
            return
        password = fleet.add_user(
            name, role, sites=sites, home_assistant=home_assistant, certificate=certificate, keep_password=keep_password
        )
        where = fleet.folder / "users" / name
    if not certificate:
        click.echo(f"password of {name}: {password}")
    click.echo(f"{role} {name}: {told(where)} is for their machine; {BRING}", err=True)


def _hosts(given: tuple[str, ...]) -> tuple[str, ...]:
    hosts = tuple(dict.fromkeys(given or (socket.gethostname(),)))
    for host in hosts:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if not _HOST.fullmatch(host) or len(host) > 253:
                raise ConfigError(f"--broker {host!r}: a name such as broker.example, or an address") from None
    return hosts
