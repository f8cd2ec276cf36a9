"""Setting up a fleet: keys, the broker's configuration, what a board needs.

registry       what was issued to whom, in the fleet's folder     storage     private files of that folder
certificates   X.509: authority, certificates, revocation list    passwords   mosquitto's password hashes
acl, broker    the broker's files                                 boards_csv  a batch of boards
board_files    what goes onto a board's card                      client_config  what a person needs to sign in
fleet          the commands of `mien fleet`                       check       what is due or wrong
"""
