# Settings of the steps: names, paths, sizes. Sourced; every value can be overridden from the environment.
# shellcheck shell=bash disable=SC2034

SUITE=bookworm
VERSION=${VERSION:-$(sed -n 's/^__version__ = "\([^"]*\)".*/\1/p' "$REPOSITORY/runtime/mien/__init__.py")}
WORK=${MIEN_IMAGE_WORK:-$REPOSITORY/build/image}
OUT=${MIEN_IMAGE_OUT:-$REPOSITORY/build}
IMAGE=$OUT/mien-$VERSION-arm64.img

# All timestamps in the image, so that builds of a commit are reproducible.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$REPOSITORY" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

# The disk's identity: "mien" in ASCII. PARTUUIDs are DISK_ID-0N, on any bus.
DISK_ID=6d69656e
FIRMWARE_MIB=128
ROOT_MIB=${ROOT_MIB:-1280}
DATA_MIB=64  # grows to the end of the card at the first boot

# Two copies of U-Boot's environment in the gap before the first partition, each well inside its own erase block.
ENV_OFFSETS=(0x100000 0x200000)
ENV_BYTES=0x4000
FIRST_PARTITION_MIB=4

COMPATIBLE=mien-arm64
