# One boot script for the emulated board and the Pis: chooses a root, counts the try, starts its kernel.
#
# The environment that RAUC reads and writes (fw_env.config) lies twice on the disk, in U-Boot's redundant format: CRC-32
# (little-endian) of the data, a counter, the data. Debian's U-Boots know other places, so that this script does it: it
# reads both copies, takes the newer whole one, and writes the older place. A power cut costs one copy at most.

setenv blocks 0x20
setenv bytes 0x3ffb
setenv block_0 0x800
setenv block_1 0x1000
setenv copy_0 ${kernel_addr_r}
setexpr copy_1 ${kernel_addr_r} + 0x10000
setexpr sum ${kernel_addr_r} + 0x20000
setexpr sum_le ${sum} + 0x10

# ${copy} -> its checksum, as it must be stored, at ${sum_le}. crc32 leaves it big-endian. (The environment goes before a
# loop's variable of the same name: i is nowhere else.)
setenv checksum 'setexpr data ${copy} + 5; crc32 ${data} ${bytes} ${sum}; setexpr to ${sum_le} + 3; for i in 0 1 2 3; do setexpr from ${sum} + ${i}; setexpr.b byte *${from}; mw.b ${to} ${byte}; setexpr to ${to} - 1; done'

${devtype} dev ${devnum}
setenv whole_0 no
setenv whole_1 no
setenv count_0 0
setenv count_1 0
if ${devtype} read ${copy_0} ${block_0} ${blocks}; then
  setenv copy ${copy_0}; run checksum
  if cmp.b ${sum_le} ${copy} 4; then setenv whole_0 yes; setexpr place ${copy} + 4; setexpr.b count_0 *${place}; fi
fi
if ${devtype} read ${copy_1} ${block_1} ${blocks}; then
  setenv copy ${copy_1}; run checksum
  if cmp.b ${sum_le} ${copy} 4; then setenv whole_1 yes; setexpr place ${copy} + 4; setexpr.b count_1 *${place}; fi
fi

# The counter goes round from ff to 0.
setenv newer none
if test ${whole_0} = yes; then setenv newer 0; fi
if test ${whole_1} = yes; then
  if test ${whole_0} = no; then setenv newer 1;
  elif test 0x${count_0} -eq 0xff -a 0x${count_1} -eq 0; then setenv newer 1;
  elif test 0x${count_1} -eq 0xff -a 0x${count_0} -eq 0; then setenv newer 0;
  elif test 0x${count_1} -gt 0x${count_0}; then setenv newer 1; fi
fi
setenv BOOT_ORDER
setenv BOOT_A_LEFT
setenv BOOT_B_LEFT
setenv count 0
setenv older 0
if test ${newer} = 0; then setexpr data ${copy_0} + 5; setenv count ${count_0}; setenv older 1; fi
if test ${newer} = 1; then setexpr data ${copy_1} + 5; setenv count ${count_1}; setenv older 0; fi
if test ${newer} = none; then echo "mien: no whole environment"; else env import -b ${data} ${bytes} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; fi
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3

setenv slot
for s in ${BOOT_ORDER}; do
  if test -n "${slot}"; then true;
  elif test ${s} = A; then
    if test 0x${BOOT_A_LEFT} -gt 0; then setenv slot A; setenv part 2; setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1; fi
  elif test ${s} = B; then
    if test 0x${BOOT_B_LEFT} -gt 0; then setenv slot B; setenv part 3; setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1; fi
  fi
done
# Every try is spent: better the first root once more than a dark screen.
if test -z "${slot}"; then
  for s in ${BOOT_ORDER}; do if test -z "${slot}"; then setenv slot ${s}; fi; done
  setenv BOOT_A_LEFT 2
  setenv BOOT_B_LEFT 2
  if test ${slot} = B; then setenv part 3; else setenv part 2; fi
fi

if test ${older} = 0; then setenv copy ${copy_0}; setenv block ${block_0}; else setenv copy ${copy_1}; setenv block ${block_1}; fi
setexpr data ${copy} + 5
env export -b -s ${bytes} ${data} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
setexpr count 0x${count} + 1
setexpr place ${copy} + 4
mw.b ${place} ${count}
run checksum
cp.b ${sum_le} ${copy} 4
${devtype} write ${copy} ${block} ${blocks}

# The disk's identity is the board's own after its first start (mien-grow). The initrd takes the disk on this bus alone.
setenv uuid
if part uuid ${devtype} ${devnum}:${part} uuid; then true; else setenv uuid 6d69656e-0${part}; fi

# An emulated board stands still while its host is busy: its hardware watchdog and the start of a unit have more patience.
setenv board
if test ${devtype} = virtio; then setenv serial ttyAMA0; setenv board "systemd.watchdog_sec=240 systemd.default_timeout_start_sec=600"; else setenv serial ttyS1,115200; fi
setenv bootargs "root=PARTUUID=${uuid} mien.boot=${devtype} ro rootwait rauc.slot=${slot} console=tty0 console=${serial} net.ifnames=0 quiet loglevel=3 vt.global_cursor_default=0 consoleblank=0 systemd.getty_auto=0 panic=10 ${board}"
# U-Boot's own place for an initrd lies 39 MiB above the start of a Pi's memory, and kernels from 6.12 on reach beyond it.
setexpr initrd ${kernel_addr_r} + 0x8000000
echo "mien: slot ${slot}, order ${BOOT_ORDER}, tries left A ${BOOT_A_LEFT} B ${BOOT_B_LEFT}"
if load ${devtype} ${devnum}:${part} ${kernel_addr_r} /boot/vmlinuz; then
  if load ${devtype} ${devnum}:${part} ${initrd} /boot/initrd.img; then
    booti ${kernel_addr_r} ${initrd}:${filesize} ${fdt_addr}
  fi
fi
# A root without a kernel: the try is counted, the next start takes the other one.
reset
