#!/usr/bin/env bash
# Install Debian's packages into one tar, from this machine's apt sources. Slow, but rarely repeated.
set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
enable_arm64

mapfile -t sources < <("$FIRMWARE_SCRIPTS/suite-sources" "$scratch")
[ "${#sources[@]}" -gt 0 ]

# This machine's apt network settings, such as a proxy.
apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries)\b.*::? *"?|^Acquire::(Check-Valid-Until|Check-Date|Retries) ' >"$scratch/apt.conf" || true

lists=("$FIRMWARE_SCRIPTS/board-packages.txt")
[ -z "$CONVERSE" ] || lists+=("$FIRMWARE_SCRIPTS/converse/board-packages.txt")
packages=$(for list in "${lists[@]}"; do list_of "$list"; done | paste -sd,)
[ "$KERNEL" = stable ] || packages=${packages/linux-image-arm64/linux-image-arm64\/$SUITE-$KERNEL}
export INITRD=No  # step 30 makes the only initrd; each takes a minute under emulation

# Step 30 makes byte code and certificates natively: under emulation they take half of the time. Meanwhile these do nothing,
# be they run by the shell or by Python.
idle="usr/bin/py3compile usr/sbin/update-ca-certificates usr/lib/python$PYTHON/py_compile.py"
cat >"$scratch/stubs" <<STUBS
for name in $idle; do
    chroot "\$1" dpkg-divert --quiet --local --rename --divert "/\$name.real" "/\$name"
    mkdir -p "\$(dirname "\$1/\$name")"
    printf '#!/bin/sh\n' >"\$1/\$name"
    chmod 755 "\$1/\$name"
done
mkdir -p "\$1/etc/initramfs-tools"
echo update_initramfs=no >"\$1/etc/initramfs-tools/update-initramfs.conf"
STUBS
cat >"$scratch/unstub" <<STUBS
for name in $idle; do
    rm "\$1/\$name"
    chroot "\$1" dpkg-divert --quiet --rename --remove "/\$name"
done
STUBS

# Do not unpack files that no kiosk needs: a smaller image, and less work under emulation.
excludes=()
while read -r pattern; do excludes+=(--dpkgopt="path-exclude=$pattern"); done < <(list_of "$FIRMWARE_SCRIPTS/excluded-files.txt")
while read -r pattern; do excludes+=(--dpkgopt="path-exclude=*/lib/modules/*/kernel/$pattern/*"); done \
    < <(list_of "$FIRMWARE_SCRIPTS/useless-modules.txt")

# Packages needed outside the root, and headers for compiling wheels. Fetched outside the chroot, where apt has network
# access, and first, so that a missing package is noticed before the long part.
cat >"$scratch/fetch-parts" <<PARTS
rm -rf "$WORK/parts" && mkdir -p "$WORK/parts" && cd "$WORK/parts"
APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get -qq download raspi-firmware u-boot-rpi libasound2-dev libpython$PYTHON-dev
PARTS

# The release's own Python, for byte code, if this machine has another: under emulation it would take minutes.
rm -rf "$WORK/python"
"python$PYTHON" -c '' 2>/dev/null ||  # a version manager's launcher may be there and not run
    mmdebstrap --mode=root --variant=extract --format=directory --aptopt="$scratch/apt.conf" \
        --include="python$PYTHON-minimal,libpython$PYTHON-stdlib" "$SUITE" "$WORK/python" "${sources[@]}"

# shellcheck disable=SC2016  # $1 is mmdebstrap's
PATH=/native/bin:$PATH mmdebstrap --mode=root --variant=minbase --architectures=arm64 --format=tar \
    --aptopt="$scratch/apt.conf" --aptopt='Apt::Install-Recommends "false"' \
    --dpkgopt=force-confold --dpkgopt=force-unsafe-io "${excludes[@]}" --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --aptopt='DPkg::Path "/native/bin:/usr/sbin:/usr/bin:/sbin:/bin"' --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --essential-hook="sh $scratch/fetch-parts" \
    --extract-hook="$FIRMWARE_SCRIPTS/native-helpers programs \"\$1\"" \
    --essential-hook="$FIRMWARE_SCRIPTS/native-helpers add \"\$1\"" \
    --essential-hook="sh $scratch/stubs \"\$1\"" \
    --customize-hook="$FIRMWARE_SCRIPTS/native-helpers remove \"\$1\"" \
    --customize-hook='chroot "$1" dpkg-query -W >"$1/packages.txt"' \
    --customize-hook="copy-out /packages.txt $WORK" \
    --customize-hook='rm "$1/packages.txt"' \
    --customize-hook="sh $scratch/unstub \"\$1\"" \
    --include="$packages" "$SUITE" "$WORK/rootfs.tar.part" "${sources[@]}"
mv "$WORK/rootfs.tar.part" "$WORK/rootfs.tar"
