#!/usr/bin/env bash
# Customise the root: add units, overlay, Python packages, initrd; remove what no kiosk needs.
set -euo pipefail
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"

root=$WORK/root
enable_arm64
rm -rf "$root"
mkdir -p "$root"
tar -xpf "$WORK/rootfs.tar" -C "$root" --numeric-owner
in_root() { chroot "$root" "$@"; }

say "30: files"
# Without timestamps, which depend on the checkout; step 40 sets them to the commit's time.
cp -a --no-preserve=ownership,timestamps "$FIRMWARE_SCRIPTS/overlay/." "$FIRMWARE_SCRIPTS/overlay-$SUITE/." "$root/"
find "$root/usr/lib/mien" -name __pycache__ -prune -exec rm -rf {} +
sh "$REPOSITORY/systemd/install.sh" "$root"
install -D -m 644 "$("$FIRMWARE_SCRIPTS/make-keys")" "$root/etc/rauc/keyring.pem"
# shellcheck disable=SC2153  # VERSION comes from settings.sh
# A release is known as good by these lines: with its variant, so that one of another suite is tried first.
printf 'NAME=mien\nVERSION_ID=%s\nBUILD_EPOCH=%s\nVARIANT_ID=%s\n' "$VERSION" "$SOURCE_DATE_EPOCH" "$VARIANT" >"$root/etc/mien-release"

packages=$root/usr/local/lib/python$PYTHON/dist-packages
mkdir -p "$packages"
cp -a --no-preserve=ownership,timestamps "$WORK/site/." "$packages/"
if [ -n "$CONVERSE" ]; then
    cp -a --no-preserve=ownership,timestamps "$FIRMWARE_SCRIPTS/converse/overlay/." "$root/"
    mkdir -p "$root/usr/lib/mien-piper"
    cp -a --no-preserve=ownership,timestamps "$WORK/piper/." "$root/usr/lib/mien-piper/"
    # Its cache, on the data partition: systemd finds what it would make on a root that can be written to.
    echo '/data/lib/mien-converse /var/cache/private/mien-converse none bind 0 0' >>"$root/etc/fstab"
fi
# A launcher for each command that the wheel declares.
sed -n '/console_scripts/,/^$/s/^\([a-z-]*\) *= *\([a-z._]*\):\([a-z]*\)$/\1 \2 \3/p' "$packages"/mien-*.dist-info/entry_points.txt |
    while read -r command module function; do
        printf '#!/usr/bin/python3\nimport sys\n\nfrom %s import %s\n\nsys.exit(%s())\n' "$module" "$function" "$function" >"$root/usr/bin/$command"
        chmod 755 "$root/usr/bin/$command"
    done

say "30: settings, on the data partition"
mkdir -p "$root"/{data,boot/firmware,etc/systemd/timesyncd.conf.d,var/lib/mien-link}
rm -rf "$root"/etc/{hostname,systemd/network,systemd/timesyncd.conf.d,mien,resolv.conf} "$root/root/.ssh"
ln -s /data/etc/hostname "$root/etc/hostname"
ln -s /data/etc/network "$root/etc/systemd/network"
ln -s /data/etc/timesyncd.conf.d "$root/etc/systemd/timesyncd.conf.d"
ln -s /data/etc/mien "$root/etc/mien"
ln -s /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_*

say "30: accounts and services"
in_root systemd-sysusers
in_root passwd -q -l root
# passwd -l leaves "!*", with which sshd refuses even keys.
sed -i 's/^root:[^:]*:/root:*:/' "$root/etc/shadow"
in_root systemctl -q enable systemd-networkd systemd-resolved systemd-timesyncd ssh mien.target mien-grow \
    mien-health mien-link console-getty
[ -z "$CONVERSE" ] || in_root systemctl -q enable mien-ear mien-converse
in_root systemctl -q mask rauc-mark-good.service systemd-firstboot.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer systemd-update-utmp.service systemd-update-utmp-runlevel.service getty@tty1.service \
    systemd-networkd-wait-online.service fstrim.timer e2scrub_reap.service e2scrub_all.timer wpa_supplicant.service \
    systemd-pstore.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount sys-fs-fuse-connections.mount modprobe@fuse.service systemd-binfmt.service \
    proc-sys-fs-binfmt_misc.automount systemd-machine-id-commit.service alsa-state.service systemd-repart.service
# sshd answers on the network alone, and only if there is a key (ssh.service.d): no sockets that systemd 257 adds by itself.
mkdir -p "$root/etc/systemd/system-generators"
ln -sf /dev/null "$root/etc/systemd/system-generators/systemd-ssh-generator"
# Kiosks have no local logins: logind starts on demand, to switch the board off.
rm "$root/usr/lib/systemd/system/multi-user.target.wants/systemd-logind.service"
ln -sf /etc/machine-id "$root/var/lib/dbus/machine-id"
mkdir -p "$root/root/.ssh"
echo LANG=C.UTF-8 >"$root/etc/default/locale"

say "30: remove what no kiosk needs"
modules=$(echo "$root"/lib/modules/*)
list_of "$FIRMWARE_SCRIPTS/useless-modules.txt" | while read -r pattern; do
    # shellcheck disable=SC2086  # globbing is intended
    rm -rf "$modules"/kernel/$pattern
done
list_of "$FIRMWARE_SCRIPTS/useless-files.txt" | while read -r pattern; do
    # shellcheck disable=SC2086
    rm -rf "${root:?}"/$pattern
done
version=$(basename "$modules")
depmod -b "$root" "$version"  # natively: modules are compressed
# Packages of kernels from 7 on keep kernel, configuration and device trees beside the modules.
if [ -e "$modules/vmlinuz" ]; then
    mv -f "$modules/vmlinuz" "$root/boot/vmlinuz-$version"
    mv -f "$modules/config" "$root/boot/config-$version"
    rm -f "$modules/System.map"
fi
rm -rf "$WORK/dtb"
mkdir -p "$WORK/dtb"
find "$root"/usr/lib/linux-image-* "$modules/dtb" -name 'bcm2[78]*.dtb' -path '*/broadcom/*' -exec cp -t "$WORK/dtb" {} + 2>/dev/null || true
[ -e "$WORK/dtb/bcm2711-rpi-4-b.dtb" ] || die "the kernel's package has no device tree of a Pi 4"
rm -rf "$root"/usr/lib/linux-image-* "$modules/dtb" "$root"/boot/System.map-* "$root"/boot/firmware/*
# Radio firmware of the Pis: 43430 and 43436 (Zero 2 W, 3), 43455 (3+, 4), 43456 (400).
find "$root/lib/firmware" -type f ! -name '*4343[06]*' ! -name '*4345[56]*' ! -name 'regulatory.db*' -delete
find "$root/lib/firmware" -xtype l ! -name 'regulatory.db*' -delete
rm -rf "$root"/var/{lib/apt/lists,cache}/* "$root"/etc/apt/{sources.list,sources.list.d/*,apt.conf.d/99*} "$root"/var/log/*
mkdir -m 700 "$root/var/cache/private"  # otherwise tmpfiles would create it at every boot
if [ -n "$CONVERSE" ]; then
    mkdir -m 700 "$root/var/cache/private/mien-converse"
    ln -s private/mien-converse "$root/var/cache/mien-converse"
fi

# The root is read-only: compile byte code now, without timestamp checks.
interpreter=("python$PYTHON")
jobs=2
if [ -d "$WORK/python" ]; then  # the release's own, started by its own loader (step 10), which its children would not be
    jobs=1
    loader=$(find "$WORK/python" -type f -name 'ld-linux-*' | head -n 1)
    interpreter=(env PYTHONHOME="$WORK/python/usr" "$loader" --library-path "$(dirname "$loader")"
        "$WORK/python/usr/bin/python$PYTHON")
fi
"${interpreter[@]}" -m compileall -q -j "$jobs" -f --invalidation-mode unchecked-hash -s "$root" \
    "$packages" "$root/usr/lib/mien" "$root/usr/lib/python3/dist-packages" "$root/usr/lib/python$PYTHON" || true
[ -n "$(find "$packages/mien" -name '*.pyc' -print -quit)" ] || die "${interpreter[*]} made no byte code"
cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"

# Fontconfig validates its cache by the folder's timestamp, which step 40 clamps.
find "$root/usr/share/fonts" "$root/usr/local/share/fonts" -newermt "@$SOURCE_DATE_EPOCH" \
    -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} + 2>/dev/null || true
in_root fc-cache --system-only

say "30: the initrd"
# Without udev: overlay/etc/initramfs-tools lists the modules and finds the disk.
rm -f "$root"/usr/share/initramfs-tools/{hooks,scripts/init-top,scripts/init-bottom}/udev
mount -t proc proc "$root/proc"
"$FIRMWARE_SCRIPTS/native-helpers" add "$root"
# Debian 13's mkinitramfs sets its own PATH, without the native programs.
sed '/^export PATH=/d' "$root/usr/sbin/mkinitramfs" >"$root/native/mkinitramfs"
in_root env PATH=/native/bin:/usr/sbin:/usr/bin sh /native/mkinitramfs -l 19 -o "/boot/initrd.img-$version" "$version"
"$FIRMWARE_SCRIPTS/native-helpers" remove "$root"
umount "$root/proc"
ln -sf "vmlinuz-$version" "$root/boot/vmlinuz"
ln -sf "initrd.img-$version" "$root/boot/initrd.img"

"$FIRMWARE_SCRIPTS/report-sizes" "$root" >"$WORK/sizes.txt"
head -n 30 "$WORK/sizes.txt"
