"""The container board: real systemd, the real units and real time under systemd-nspawn, with llvmpipe and a WAV sink.

What it is not: a kernel of its own, a sound card, a display, a memory-limit of each unit. See hil/README.md.
"""
