"""The server side of ZMTP 3, ZeroMQ's transport protocol, on ordinary sockets.

libzmq counts whole messages, cannot limit or close one connection, and takes the address of a client from the client.
mien-voice must bound what every peer may cost, in bytes, and hang up on one of them. So it serves its sockets itself;
its peers are ordinary ZeroMQ sockets.

    framing.py      greeting and frames                     endpoint.py    addresses, binding
    null.py         the mechanism without keys              doors.py       listens and accepts
    curve.py        the mechanism with keys (CurveZMQ)      connection.py  one socket, its peer and its outbox
    peer.py         one connection's protocol, pure         server.py      reads, writes, hangs up
    outbox.py       what waits for one peer, in bytes       reactor.py     waits for all of them
"""
