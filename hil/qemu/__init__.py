"""The emulated board: QEMU's virt machine booting the SD-card image unchanged.

In guest time (-icount) it is a single core that executes one instruction per nanosecond: runs agree to about 1 %, so
that versions can be compared. It is no Raspberry Pi.
"""
