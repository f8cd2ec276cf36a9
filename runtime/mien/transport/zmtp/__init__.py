"""The server side of ZMTP 3, ZeroMQ's transport protocol, on ordinary sockets.

libzmq limits queues in messages instead of bytes, cannot throttle or close one connection, and takes a client's
identity from the client. mien-voice must bound in bytes what every peer may cost, and be able to disconnect a single
one. So it serves its sockets itself; its peers are ordinary ZeroMQ sockets.

    framing.py      greeting, frames               listeners.py    binds endpoints, accepts connections
    null.py         the NULL mechanism             connection.py   one socket with its peer and its queued output
    curve.py        the CURVE mechanism            server.py       reads, writes, disconnects
    peer.py         one connection's protocol      reactor.py      polls all sockets
"""
