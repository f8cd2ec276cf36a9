#!/usr/bin/env bash
# Assemble the disk: partition table, both copies of U-Boot's environment, firmware, root A, data. Root B stays empty.
set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

total_mib=$((FIRST_PARTITION_MIB + FIRMWARE_MIB + 2 * ROOT_MIB + DATA_MIB))
rm -f "$IMAGE"
truncate -s "${total_mib}M" "$IMAGE"
sfdisk -q "$IMAGE" <<TABLE
label: dos
label-id: 0x$DISK_ID
start=${FIRST_PARTITION_MIB}MiB, size=${FIRMWARE_MIB}MiB, type=c, bootable
size=${ROOT_MIB}MiB, type=83
size=${ROOT_MIB}MiB, type=83
size=${DATA_MIB}MiB, type=83
TABLE

put() { dd if="$1" of="$IMAGE" bs=1M seek="$2" conv=notrunc,sparse status=none; }
at=$FIRST_PARTITION_MIB
put "$WORK/fat.img" "$at"
put "$WORK/root.ext4" $((at + FIRMWARE_MIB))
put "$WORK/data.ext4" $((at + FIRMWARE_MIB + 2 * ROOT_MIB))

# Only A: B is empty, and the boot order tells the board whether it has a fallback.
printf 'BOOT_ORDER=A\nBOOT_A_LEFT=3\nBOOT_B_LEFT=0\n' | mkenvimage -r -s "$ENV_BYTES" -p 0 -o "$WORK/uboot.env" -
for offset in "${ENV_OFFSETS[@]}"; do
    dd if="$WORK/uboot.env" of="$IMAGE" bs=512 seek=$((offset / 512)) conv=notrunc status=none
done
sfdisk -l "$IMAGE"
