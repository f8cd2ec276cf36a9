# Helpers of the steps. Sourced after `set -euo pipefail`.
# shellcheck shell=bash

FIRMWARE_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
REPOSITORY=$(dirname "$FIRMWARE_SCRIPTS")
# shellcheck source=settings.sh
. "$FIRMWARE_SCRIPTS/settings.sh"
# shellcheck source=../.ci/packages.sh
. "$REPOSITORY/.ci/packages.sh"

say() { printf '[%(%H:%M:%S)T] %s\n' -1 "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# The entries of a list file, one per line, without # comments. An entry that ends with [SUITE] is for that suite alone.
list_of() { sed "s/#.*//; s/ *\[$SUITE\]//; s/[[:space:]]*\$//; /\[[a-z]*\]\$/d; /^\$/d" "$1"; }

# Install the packages of host-packages.txt that this machine lacks.
install_host_packages() { install_missing "${0##*/}" "$FIRMWARE_SCRIPTS/host-packages.txt" || exit 1; }

# Run arm64 programs by emulation, also inside a chroot (the flag `F`).
enable_arm64() {
    [ "$(uname -m)" = aarch64 ] && return
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || update-binfmts --enable qemu-aarch64
}
