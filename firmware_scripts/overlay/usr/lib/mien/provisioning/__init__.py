"""Takes over what somebody put onto the card, for the program `provision` beside this folder.

    mistake      what is wrong, in words that may go to any screen
    files        reading from the card, within bounds
    board_toml   hostname, console, clock            network    wireless and fixed addresses
    ssh_keys     authorized_keys                     zmq_keys   the keys that `mien keys` makes
    storage      written for good, wiped for good    card       what lies on it, the notes that it carries back
    takeover     one file after the other            follow     how the running system is told

Only Python's own library is used, but for the voice's pair of keys. The bytes are a stranger's: whatever they do to a
check ends as a mistake of that one file (takeover.Report.told), and the others go on.
"""
