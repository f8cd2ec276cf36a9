"""The sockets: ZeroMQ towards the clients (router) and between voice and face (bus)."""

VOICE_SOCKET = "voice.sock"
BUS_SOCKET = "bus.sock"
REPORT_SOCKET = "report.sock"
