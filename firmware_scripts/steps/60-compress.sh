#!/usr/bin/env bash
# What is handed out: the image compressed, its map of used blocks, its checksum, its entry for Raspberry Pi Imager.
set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

say "60: map"
bmaptool -q create "$IMAGE" -o "$IMAGE.bmap.part"
# The map carries a comment with the time of day, and its own checksum over it.
mv "$IMAGE.bmap.part" "$IMAGE.bmap"

say "60: xz"
# Blocks of one size whatever the number of cores, so that the result does not depend on them.
# Level 0: a third of level 2's time for a twentieth more bytes.
xz -T0 -0 --block-size=24MiB --keep --force --stdout "$IMAGE" >"$IMAGE.xz.part"
mv "$IMAGE.xz.part" "$IMAGE.xz"
(cd "$OUT" && sha256sum "$(basename "$IMAGE.xz")" >"$(basename "$IMAGE.xz").sha256")

say "60: entry for Raspberry Pi Imager"
python3 - "$IMAGE" "$VERSION" "$SOURCE_DATE_EPOCH" >"$OUT/rpi-imager.json" <<'ENTRY'
import hashlib
import json
import sys
import time
from pathlib import Path

image, version, epoch = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
compressed = image.with_name(image.name + ".xz")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


entry = {
    "name": f"mien {version}",
    "description": "A face for voice agents. Settings go into the folder mien on the first partition.",
    "url": compressed.name,  # relative: whoever serves the file puts its address before it
    "extract_size": image.stat().st_size,
    "extract_sha256": sha256(image),
    "image_download_size": compressed.stat().st_size,
    "image_download_sha256": sha256(compressed),
    "release_date": time.strftime("%Y-%m-%d", time.gmtime(epoch)),
    "devices": ["pi3-64bit", "pi4-64bit"],
    "init_format": "none",
}
print(json.dumps({"os_list": [entry]}, indent=2))
ENTRY
ls -ls "$IMAGE" "$IMAGE.xz" "$IMAGE.bmap"
