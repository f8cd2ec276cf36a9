#!/usr/bin/env bash
# Debian's packages as one tar, from whatever apt sources this machine has. Slow, and seldom needed again.
set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
enable_arm64

# This machine's own Debian sources, with raspi-firmware's and firmware-brcm80211's component added. Others (a vendor's
# repository, say) have no business on the board.
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do
    grep -Eqs "^(Suites:|deb .*) *$SUITE( |\$|-)" "$file" || continue
    copy=$scratch/$(basename "$file")
    sed -E '/^#/d; s/^(Components:.*\<main)\>.*/\1 non-free-firmware/; /^deb /s/ main\>.*/ main non-free-firmware/' "$file" >"$copy"
    sources+=("$copy")
done
[ "${#sources[@]}" -gt 0 ] || die "no apt source of this machine has the suite $SUITE"

# This machine's way to the network (a proxy, say), as apt sees it.
apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries)\b.*::? *"?|^Acquire::(Check-Valid-Until|Check-Date|Retries) ' >"$scratch/apt.conf" || true

packages=$(list_of "$FIRMWARE_SCRIPTS/board-packages.txt" | paste -sd,)
export INITRD=No  # steps/30 makes the one initrd; under emulation each takes its minute

# Byte code and certificates are made in step 30, by this machine and not under emulation: that is half of the time.
cat >"$scratch/stubs" <<'STUBS'
for name in usr/bin/py3compile usr/sbin/update-ca-certificates; do
    chroot "$1" dpkg-divert --quiet --local --rename --divert "/$name.real" "/$name"
    printf '#!/bin/sh\n' >"$1/$name"
    chmod 755 "$1/$name"
done
mkdir -p "$1/etc/initramfs-tools"
echo update_initramfs=no >"$1/etc/initramfs-tools/update-initramfs.conf"
STUBS

# What no kiosk reads is not even unpacked: a small image, and less work under emulation.
excludes=()
while read -r pattern; do excludes+=(--dpkgopt="path-exclude=$pattern"); done < <(list_of "$FIRMWARE_SCRIPTS/excluded-files.txt")
while read -r pattern; do excludes+=(--dpkgopt="path-exclude=/lib/modules/*/kernel/$pattern/*"); done \
    < <(list_of "$FIRMWARE_SCRIPTS/useless-modules.txt")

# What a card needs outside its root, and the headers that the wheels are compiled against: fetched by the apt outside the
# chroot, which knows the way to the network, and early, so that a missing one is seen before the long part.
cat >"$scratch/fetch-parts" <<PARTS
rm -rf "$WORK/parts" && mkdir -p "$WORK/parts" && cd "$WORK/parts"
APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get -qq download raspi-firmware u-boot-rpi libasound2-dev libpython3.11-dev
PARTS

# shellcheck disable=SC2016  # $1 is mmdebstrap's
mmdebstrap --mode=root --variant=minbase --architectures=arm64 --format=tar \
    --aptopt="$scratch/apt.conf" --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt=force-confold --dpkgopt=force-unsafe-io "${excludes[@]}" --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --aptopt='DPkg::Path "/native/bin:/usr/sbin:/usr/bin:/sbin:/bin"' --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --essential-hook="sh $scratch/fetch-parts" \
    --essential-hook="$FIRMWARE_SCRIPTS/native-helpers add \"\$1\"" \
    --essential-hook="sh $scratch/stubs \"\$1\"" \
    --customize-hook="$FIRMWARE_SCRIPTS/native-helpers remove \"\$1\"" \
    --customize-hook='chroot "$1" dpkg-query -W >"$1/packages.txt"' \
    --customize-hook="copy-out /packages.txt $WORK" \
    --customize-hook='rm "$1/packages.txt"; cd "$1"; for name in usr/bin/py3compile usr/sbin/update-ca-certificates; do rm "$name"; chroot . dpkg-divert --quiet --rename --remove "/$name"; done' \
    --include="$packages" "$SUITE" "$WORK/rootfs.tar.part" "${sources[@]}"
mv "$WORK/rootfs.tar.part" "$WORK/rootfs.tar"
