"""Imports settings from the card, for the program `provision` beside this folder.

    mistake      error messages that are safe to show on any screen
    files        bounded reading from the card
    board_toml   hostname, console, clock            network    wireless and fixed addresses
    ssh_keys     authorized_keys                     zmq_keys   the keys that `mien keys` makes
    link_files   the board's place in a fleet        tls_pair   certificates with their keys
    storage      durable writes, secure deletion     card       the card's files, and the notes left on it
    takeover     imports file by file                follow     applies changes to the running system

Uses only the standard library, except for the voice's key pair and link.toml. All input is untrusted: an exception in a
check becomes a mistake of that file (takeover.Report.told), and the other files are still imported.
"""
