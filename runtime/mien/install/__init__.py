"""Installs mien as a service on a machine with an operating system of its own (`mien service`).

The files themselves are those of systemd/ in the source tree; install.sh there decides where each one goes.
"""
