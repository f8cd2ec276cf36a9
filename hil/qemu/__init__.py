"""The emulated board: QEMU's virt machine booting the very image that is flashed.

In guest time (-icount) it is a board with one core that does one instruction a nanosecond: runs agree to about one
per cent, and are comparable from version to version. It is no Raspberry Pi.
"""
