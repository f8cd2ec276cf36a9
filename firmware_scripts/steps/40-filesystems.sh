#!/usr/bin/env bash
# Make three file systems from folders: FAT for the Pi's firmware, root, data. No loop devices, no mounts.
set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
root=$WORK/root
uuid_of() { echo "6d69656e-0000-4000-8000-00000000000$1"; }

clamp_times() {
    find "$1" -newermt "@$SOURCE_DATE_EPOCH" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
}

# mke2fs copies atime and ctime; ctime cannot be set by touch. Set both with debugfs, for every inode in use, so that equal
# files give equal images.
settle_inode_times() {
    local total
    total=$(dumpe2fs -h "$1" 2>/dev/null | sed -n 's/^Inode count: *//p')
    dumpe2fs "$1" 2>/dev/null | sed -n 's/^  Free inodes: //p' | tr -d ' ' | tr ',' '\n' |
        awk -F- -v total="$total" -v time="$SOURCE_DATE_EPOCH" '
            NF { for (i = $1; i <= $NF; i++) free[i] = 1 }
            END { for (i = 2; i <= total; i++) if (!(i in free) && (i == 2 || i > 10))
                printf "set_inode_field <%d> ctime @%d\nset_inode_field <%d> atime @%d\n", i, time, i, time }' |
        debugfs -w -f - "$1" >/dev/null
}

say "40: firmware partition"
fat=$WORK/fat
rm -rf "$fat" "$WORK/firmware"
mkdir -p "$fat/mien" "$WORK/firmware"
for deb in "$WORK"/parts/{raspi-firmware,u-boot-rpi}_*.deb; do dpkg-deb -x "$deb" "$WORK/firmware"; done
for file in bootcode.bin start.elf start4.elf fixup.dat fixup4.dat; do
    cp "$WORK/firmware/usr/lib/raspi-firmware/$file" "$fat/"
done
cp "$WORK/firmware/usr/lib/u-boot/rpi_arm64/u-boot.bin" "$fat/"
cp "$WORK"/dtb/*.dtb "$fat/"
cp "$FIRMWARE_SCRIPTS/boot/config.txt" "$fat/"
cp "$FIRMWARE_SCRIPTS/boot/README.txt" "$fat/README.txt"
cp "$FIRMWARE_SCRIPTS/boot/README.txt" "$fat/mien/README.txt"
mkimage -A arm64 -T script -C none -n mien -d "$FIRMWARE_SCRIPTS/boot/boot.cmd" "$fat/boot.scr" >/dev/null
clamp_times "$fat"
rm -f "$WORK/fat.img"
truncate -s "${FIRMWARE_MIB}M" "$WORK/fat.img"
mkfs.vfat -F 32 -n MIEN -i 6d69656e --invariant "$WORK/fat.img" >/dev/null
# In a fixed order, so that files occupy the same clusters in every build.
(cd "$fat" && find . -mindepth 1 -type d | LC_ALL=C sort | while read -r name; do mmd -i "$WORK/fat.img" "::${name#.}"; done)
(cd "$fat" && find . -type f | LC_ALL=C sort | while read -r name; do mcopy -m -i "$WORK/fat.img" "$name" "::${name#.}"; done)

# The size in memory, from the header of an arm64 kernel. boot.cmd puts the initrd 128 MiB above the place where the kernel is
# loaded; U-Boot may move the kernel up by 2 MiB.
kernel_mib=$(($(od -An -t u8 -j 16 -N 8 "$root/boot/vmlinuz") >> 20))
[ "$kernel_mib" -le 124 ] || die "the kernel takes $kernel_mib MiB of memory, and would overwrite the initrd (boot/boot.cmd)"

say "40: root"
clamp_times "$root"
rm -f "$WORK/root.ext4"
# Sized for its content, not for the partition: an update writes every byte of it.
needed_mib=$(($(du -sm "$root" | cut -f1) * 107 / 100 + 32))
[ "$needed_mib" -le "$ROOT_MIB" ] || die "the root needs $needed_mib MiB, but its partition has $ROOT_MIB"
truncate -s "${needed_mib}M" "$WORK/root.ext4"
# No journal and no reserved blocks: the root is never written to.
mke2fs -q -t ext4 -L mien-root -U "$(uuid_of 2)" -E "hash_seed=$(uuid_of 2)" -m 0 -O ^has_journal -d "$root" "$WORK/root.ext4"
settle_inode_times "$WORK/root.ext4"
e2fsck -fn "$WORK/root.ext4" >/dev/null

say "40: data"
rm -rf "$WORK/empty"
mkdir -p "$WORK/empty"
clamp_times "$WORK/empty"
rm -f "$WORK/data.ext4"
truncate -s "${DATA_MIB}M" "$WORK/data.ext4"
# resize_inode and room for descriptors, for growing to the whole card while mounted.
mke2fs -q -t ext4 -L mien-data -U "$(uuid_of 4)" -E "hash_seed=$(uuid_of 4),resize=33554432" -m 1 -d "$WORK/empty" "$WORK/data.ext4"
settle_inode_times "$WORK/data.ext4"
ls -ls "$WORK"/*.ext4 "$WORK/fat.img"
