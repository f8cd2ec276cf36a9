# Settings of the steps: names, paths, sizes. Sourced; every value can be overridden from the environment.
# shellcheck shell=bash disable=SC2034

# The Debian release of the image. PYTHON: the interpreter that it has.
SUITE=${SUITE:-bookworm}
case $SUITE in
bookworm) PYTHON=3.11 ;;
trixie) PYTHON=3.13 ;;
*)
    echo "${0##*/}: no image can be made of the suite $SUITE: choose bookworm (Debian 12) or trixie (Debian 13)" >&2
    exit 2
    ;;
esac

# KERNEL=backports: the kernel of SUITE-backports, the first with the Pi 5's card, display and network.
KERNEL=${KERNEL:-stable}
case $SUITE-$KERNEL in
*-stable) VARIANT=$SUITE ;;
trixie-backports) VARIANT=$SUITE-backports ;;
*)
    echo "${0##*/}: there is no kernel $KERNEL for $SUITE: leave KERNEL out, or take SUITE=trixie KERNEL=backports" >&2
    exit 2
    ;;
esac

# CONVERSE=1: with the engines of mien converse, which answers customers from the first start on.
CONVERSE=${CONVERSE:-}
case $CONVERSE in
"" | 0) CONVERSE= ;;
1) VARIANT=$VARIANT-converse ;;
*)
    echo "${0##*/}: CONVERSE=$CONVERSE means nothing: CONVERSE=1 adds mien converse, without it there is none" >&2
    exit 2
    ;;
esac

VERSION=${VERSION:-$(sed -n 's/^__version__ = "\([^"]*\)".*/\1/p' "$REPOSITORY/runtime/mien/__init__.py")}
WORK=${MIEN_IMAGE_WORK:-$REPOSITORY/build/image}/$VARIANT
OUT=${MIEN_IMAGE_OUT:-$REPOSITORY/build}
IMAGE=$OUT/mien-$VERSION-$VARIANT-arm64.img

# All timestamps in the image, so that builds of a commit are reproducible.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$REPOSITORY" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

# The disk's identity: "mien" in ASCII. PARTUUIDs are DISK_ID-0N, on any bus.
DISK_ID=6d69656e
FIRMWARE_MIB=128
ROOT_MIB=${ROOT_MIB:-1280}  # with mien converse too, so that one card takes the updates of either
DATA_MIB=64  # grows to the end of the card at the first boot

# Two copies of U-Boot's environment in the gap before the first partition, each well inside its own erase block.
ENV_OFFSETS=(0x100000 0x200000)
ENV_BYTES=0x4000
FIRST_PARTITION_MIB=4

COMPATIBLE=mien-arm64
