#!/bin/sh
# install.sh [ROOT]: put the units and what they need where systemd looks for them; ROOT is an image's root folder.
# Nothing is started. On a running board go on with: systemd-sysusers && systemd-tmpfiles --create &&
# systemctl daemon-reload && systemctl enable --now mien.target
set -eu
from=$(cd "$(dirname "$0")" && pwd)
root=${1:-}

install -d "$root/usr/lib/systemd/system" "$root/usr/lib/sysusers.d" "$root/usr/lib/tmpfiles.d" \
    "$root/usr/lib/udev/rules.d" "$root/usr/lib/systemd/system-generators" "$root/usr/lib/mien" "$root/etc/mien"
install -m 644 "$from"/*.service "$from"/*.timer "$from"/*.target "$root/usr/lib/systemd/system/"
install -m 644 "$from/mien.sysusers.conf" "$root/usr/lib/sysusers.d/mien.conf"
install -m 644 "$from/mien.tmpfiles.conf" "$root/usr/lib/tmpfiles.d/mien.conf"
install -m 644 "$from"/*.rules "$root/usr/lib/udev/rules.d/"
install -m 755 "$from/failure-note" "$root/usr/lib/mien/"
install -m 755 "$from/emulated-board" "$root/usr/lib/systemd/system-generators/mien-emulated-board"
