#!/usr/bin/env bash
# Unpacks the Debian packages with speech and texts into build/root. Installs nothing and needs no root privileges.
# The English and Spanish prompts of asterisk-core-sounds are the test set: never fetch them here.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=(
    asterisk-core-sounds-fr asterisk-core-sounds-fr-g722
    asterisk-core-sounds-it asterisk-core-sounds-it-g722
    asterisk-core-sounds-ru asterisk-core-sounds-ru-g722
    fillets-ng-data fillets-ng-data-cs fillets-ng-data-nl
    asterisk-prompt-it-menardi-wav
    tuxpaint-stamps-default klettres-data ktuberling-data hedgewars-data asterisk-moh-opsound-wav
    festival libestools2.5 festival-czech festival-ca festival-hi festlex-cmu festlex-poslex festlex-ifd
    festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts festvox-italp16k festvox-itapc16k festvox-ca-ona-hts
    festvox-czech-dita festvox-czech-krb festvox-czech-machac festvox-czech-ph festvox-hi-nsk
    festvox-suopuhe-common festvox-suopuhe-lj festvox-suopuhe-mv festvox-ru
)

mkdir -p build/apt build/root
for package in "${packages[@]}"; do
    [ -e "build/apt/$package.unpacked" ] && continue
    echo "fetch: $package"
    rm -f "build/apt/${package}"_*.deb
    (cd build/apt && apt-get download -qq -o APT::Sandbox::User=root "$package")
    dpkg -x build/apt/"$package"_*.deb build/root
    touch "build/apt/$package.unpacked"
done

# Kokoro's voices are part of an npm package.
if [ ! -d build/root/kokoro-js ]; then
    (cd build/apt && npm pack --silent kokoro-js@1.2.1)
    mkdir build/root/kokoro-js
    tar -xzf build/apt/kokoro-js-1.2.1.tgz -C build/root/kokoro-js
fi

# festival's Czech voices refer to their files by the paths of an installed package.
voices=$PWD/build/root/usr/share/festival/voices/czech
sed -i "s#\"/usr/share/festival/#\"$PWD/build/root/usr/share/festival/#g" "$voices"/*/festvox/*.scm
