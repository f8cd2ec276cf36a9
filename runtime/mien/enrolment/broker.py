"""mosquitto's configuration for a fleet: version 2.0, as in Debian 12, or later."""

from mien.enrolment.registry import FleetRecord

_TEXT = """\
# Written by `mien fleet`; changes here are lost. It belongs into /etc/mosquitto/conf.d, the other files into
# {etc}.
allow_anonymous false
acl_file {etc}/acl
password_file {etc}/passwd
max_packet_size 1048576
set_tcp_nodelay true
# What waits for one client. Whoever signs in gets two retained messages a board at once.
max_queued_messages 20000
max_queued_bytes 33554432
persistent_client_expiration 2d
check_retain_source true

# Boards: a certificate, whose common name SITE/BOARD is the user and the client id.
listener {board_port}
cafile {etc}/ca.crt
crlfile {etc}/crl.pem
certfile {etc}/server.crt
keyfile {etc}/server.key
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
use_username_as_clientid true

# People: a user and a password, over WebSockets, for browsers and for `mien fleet status`.
listener {people_port}
protocol websockets
certfile {etc}/server.crt
keyfile {etc}/server.key
tls_version tlsv1.2
"""


def configuration(record: FleetRecord) -> str:
    """The text of mien.conf."""
    text = _TEXT.format(etc=record.etc, board_port=record.board_port, people_port=record.people_port)
    return text + (f"http_dir {record.http_dir}\n" if record.http_dir else "")


def password_file(record: FleetRecord) -> str:
    """The text of passwd."""
    return "".join(f"{name}:{user.hash}\n" for name, user in sorted(record.users.items()))
