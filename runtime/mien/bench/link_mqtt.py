"""What both ends of `mien bench link` know: the board's place, the connection's options."""

import socket
from typing import Final

from mien.fleet.topics import Board

PLACE: Final = Board("bench", "board")
USER: Final = "ada"
NO_DELAY: Final = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
