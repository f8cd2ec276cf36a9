"""Where the board of `mien bench link` is, with the options of a connection to its broker."""

import socket
from typing import Final

from mien.fleet.topics import Board

PLACE: Final = Board("bench", "board")
USER: Final = "ada"
NO_DELAY: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
