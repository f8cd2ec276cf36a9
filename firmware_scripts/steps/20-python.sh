#!/usr/bin/env bash
# Collect the board's Python packages in one folder: mien with models and avatars, and what Debian lacks.
set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

site=$WORK/site
scratch=$WORK/wheels
rm -rf "$site" "$scratch"
mkdir -p "$site" "$scratch"/{source,tools,sdist,sysroot}
pip=("$scratch/tools/bin/python" -m pip --disable-pip-version-check -q)
python3 -m venv "$scratch/tools"

say "20: mien's wheel"
# Build from a copy, because a build leaves files in the source tree. setup.py adds models and avatars to the wheel.
cp -a "$REPOSITORY"/{pyproject.toml,setup.py,README.md,LICENSE,NOTICE,runtime} "$scratch/source/"
install -D -m 644 -t "$scratch/source/models/motion" "$REPOSITORY"/models/motion/*.{json,tflite,bin}
install -D -m 644 -t "$scratch/source/models/avatars" "$REPOSITORY"/models/avatars/*.mien-avatar
install -D -m 644 -t "$scratch/source/systemd" "$REPOSITORY"/systemd/*
find "$scratch/source" -name __pycache__ -prune -exec rm -rf {} + -o -name '*.egg-info' -prune -exec rm -rf {} +
"${pip[@]}" wheel --no-deps -w "$OUT" "$scratch/source"
wheel=$(find "$OUT" -name "mien-$VERSION-*.whl" | sort | tail -n 1)
unzip -l "$wheel" | grep 'motion/data/.*\.tflite' >/dev/null || die "$wheel carries no model"

say "20: wheels for aarch64"
list_of "$FIRMWARE_SCRIPTS/python-packages.txt" | grep -v pyalsaaudio >"$scratch/wheels.txt"
abi=cp${PYTHON/./}
platforms=()
for glibc in 17 24 26 27 28 34; do platforms+=(--platform "manylinux_2_${glibc}_aarch64"); done
# for_board FOLDER LIST [OPTION...]: the packages of a list, without what they depend on.
for_board() {
    local folder=$1 list=$2
    shift 2
    "${pip[@]}" install --no-deps --no-compile --only-binary=:all: --implementation cp --python-version "$PYTHON" \
        --abi "$abi" --abi abi3 --abi none "${platforms[@]}" --platform manylinux2014_aarch64 --target "$folder" -r "$list" "$@"
}
for_board "$site" "$scratch/wheels.txt"
rm -rf "$WORK/piper"
if [ -n "$CONVERSE" ]; then
    say "20: the engines of mien converse, checked by SHA-256"
    for_board "$site" "$FIRMWARE_SCRIPTS/converse/python-packages.txt" --require-hashes
    # Piper is under the GPL: in a folder that only its own program reads.
    for_board "$WORK/piper" "$FIRMWARE_SCRIPTS/converse/piper-packages.txt" --require-hashes
    rm -rf "$WORK/piper/bin"
fi
"${pip[@]}" install --no-deps --no-compile --target "$site" "$wheel"
rm -rf "${site:?}/bin"
# Remove pip's record of the wheel's local path, and launchers with local paths; step 30 makes the board's own.
rm "$site"/mien-*.dist-info/direct_url.json
# Of LiteRT, its interpreter alone: 18 of 42 MB. The rest compiles models, or runs them on other processors.
if [ -d "$site/ai_edge_litert" ]; then
    mv "$site/ai_edge_litert" "$scratch/litert"
    mkdir "$site/ai_edge_litert"
    cp "$scratch"/litert/{__init__,interpreter,metrics_interface,metrics_portable}.py \
        "$scratch"/litert/{_pywrap_litert_interpreter_wrapper,libpywrap_litert_common}.so "$site/ai_edge_litert/"
fi
# Leave the avatar tools out: a board shows baked avatars only.
rm -rf "$site"/mien/avatar/{gltf,bake}
sed -i '\,^mien/avatar/\(gltf\|bake\)/,d; /direct_url\.json,/d; \,^\.\./\.\./bin/,d' "$site"/mien-*.dist-info/RECORD

say "20: pyalsaaudio, compiled"
for deb in "$WORK"/parts/lib{asound2,python$PYTHON}-dev_*.deb; do dpkg-deb -x "$deb" "$scratch/sysroot"; done
tar -xf "$WORK/rootfs.tar" -C "$scratch/sysroot" --wildcards './usr/lib/aarch64-linux-gnu/libasound.so.2*'
"${pip[@]}" download --no-deps --no-binary pyalsaaudio -d "$scratch/sdist" \
    "$(list_of "$FIRMWARE_SCRIPTS/python-packages.txt" | grep pyalsaaudio)"
tar -xf "$scratch"/sdist/pyalsaaudio-*.tar.gz -C "$scratch/sdist"
aarch64-linux-gnu-gcc -O2 -shared -fPIC -Wl,--strip-all -ffile-prefix-map="$scratch"=. \
    -I"$scratch/sysroot/usr/include" -I"$scratch/sysroot/usr/include/python$PYTHON" \
    -L"$scratch/sysroot/usr/lib/aarch64-linux-gnu" \
    "$scratch"/sdist/pyalsaaudio-*/alsaaudio.c -lasound -o "$site/alsaaudio.cpython-${PYTHON/./}-aarch64-linux-gnu.so"
