"""The container board: real systemd, the real units and real time under systemd-nspawn, with llvmpipe and a WAV sink.

It has no kernel, sound card, display or per-unit memory limits of its own. See hil/README.md.
"""
