#!/bin/sh
# install.sh [ROOT [PREFIX [COMMANDS]]]: put the units and what they need where systemd looks for them.
# ROOT: an image's root folder. PREFIX: /usr, or /usr/local for what no package owns. COMMANDS: the folder of mien-voice,
# mien-face, mien-ear, mien-link and mien-board-control on the board. Nothing is started: on a running board use `mien service install`, which runs this script.
set -eu
from=$(cd "$(dirname "$0")" && pwd)
root=${1:-}
prefix=${2:-/usr}
commands=${3:-/usr/bin}
lib=$root$prefix/lib

install -d "$lib/systemd/system" "$lib/sysusers.d" "$lib/tmpfiles.d" "$lib/udev/rules.d" \
    "$lib/systemd/system-generators" "$lib/mien" "$root/etc/mien"
for unit in "$from"/*.service "$from"/*.socket "$from"/*.timer "$from"/*.target; do
    target=$lib/systemd/system/$(basename "$unit")
    sed "s,=/usr/lib/mien/,=$prefix/lib/mien/,; s,=/usr/bin/mien\\([- ]\\),=$commands/mien\\1," "$unit" >"$target"
    chmod 644 "$target"
done
install -m 644 "$from/mien.sysusers.conf" "$lib/sysusers.d/mien.conf"
install -m 644 "$from/mien.tmpfiles.conf" "$lib/tmpfiles.d/mien.conf"
install -m 644 "$from"/*.rules "$lib/udev/rules.d/"
install -m 644 "$from/board-defaults.toml" "$lib/mien/"
install -m 755 "$from/failure-note" "$lib/mien/"
install -m 755 "$from/emulated-board" "$lib/systemd/system-generators/mien-emulated-board"
