"""Every exception that mien raises on purpose.

    MienError
    |-- ConfigError      a configuration that cannot be used; exit code 2, systemd does not retry
    |-- StorageError     a disk or a table of the kernel is full, read-only or broken; systemd starts it again
    |-- ProtocolError    a message that breaks the public protocol; answered with `error`, nothing else affected
    |-- BusError         a bus between processes cannot be opened or speaks another version
    |-- CaptureError     the microphone cannot be opened, or is gone
    |-- EarError         the ear cannot do what the configuration asks: a missing extra; exit code 2
    |-- PeerError        a peer broke the transport protocol; its connection is closed, nothing else affected
    |-- SinkError        the sound device cannot be opened, or is gone
    |-- DisplayError     nothing can be drawn: no display, no GL context, no shader
    |-- FaceError        a thread that the face depends on has ended
    |-- ModelError       the motion model and its manifest cannot be used
    |-- AvatarError      an avatar file that cannot be used
    |-- TextError        no text can be laid out: no Pango, no font; no QR code can be drawn
    |-- InstallError     installing or removing the services failed on the way
    |   `-- InstallRefused  it was not begun, and nothing was changed; exit code 2
    |-- ConverseError    a stage of `mien converse` cannot work: a missing engine, model or URL, an error in it
    |-- FleetError       a message, a name or a file of a fleet that cannot be used
    |   |-- PacketError  a binary packet that is malformed or beyond its bounds
    |   `-- UpdateError  an update server, a bundle or the installer; `final` says that trying again is of no use
    `-- ClientError      raised by mien.client: the voice cannot be reached, refused, or answered with an error

The message says what is wrong, where (a path to the field or the file), and what to do about it.
"""


class MienError(Exception):
    """The base class: commands catch it and exit with a message."""


class StorageError(MienError):
    """A disk or a table of the kernel is full, read-only or broken: a later attempt may succeed."""


class ConfigError(MienError):
    """A configuration that cannot be used. The message carries the key's path and the remedy."""


class ProtocolError(MienError):
    """A message that breaks the public protocol.

    code: a short name from `mien.core.wire.ERROR_CODES`. retryable: the same message may be accepted later.
    """

    def __init__(self, code: str, message: str, *, retryable: bool = False, turn: str = "", seq: int = -1) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.turn = turn
        self.seq = seq


class FleetError(MienError):
    """A message on the broker, a name or a file of a fleet that cannot be used. Nothing else is affected."""


class PacketError(FleetError, ValueError):
    """A binary packet that is malformed or beyond its bounds. It is dropped; the stream goes on with the next."""


class UpdateError(FleetError):
    """An update server or the board's installer cannot be used, now or for good.

    final: the same update would fail again. status: HTTP's, or 0.
    """

    def __init__(self, message: str, *, final: bool = False, status: int = 0) -> None:
        super().__init__(message)
        self.final = final
        self.status = status


class BusError(MienError):
    """The bus between voice and face cannot be opened or speaks another version."""


class PeerError(MienError):
    """A peer broke ZeroMQ's transport protocol. code: a short name for counters, such as `bad_frame`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SinkError(MienError):
    """The sound device cannot be opened, or was lost."""


class CaptureError(MienError):
    """The microphone cannot be opened, or was lost."""


class EarError(MienError):
    """The ear cannot do what the configuration asks, such as cancel echo without the extra mien[ear]."""


class DisplayError(MienError):
    """Nothing can be drawn: no display, no GL context, or a shader that the driver refuses."""


class FaceError(MienError):
    """A thread that the face depends on has ended."""


class ModelError(MienError):
    """The motion model and its manifest do not fit each other, this runtime, or their own hash."""


class AvatarError(MienError):
    """An avatar file that is malformed, too large, or in an unsupported version."""


class TextError(MienError):
    """No text can be laid out: Pango is missing, or no font has the characters."""


class InstallError(MienError):
    """Installing or removing the services failed on the way. Repeating the command continues."""


class InstallRefused(InstallError):
    """Installing or removing the services was not begun: a person must correct something first. Nothing was changed."""


class ConverseError(MienError):
    """A stage of `mien converse` cannot work, such as recognition without its model."""


class ClientError(MienError):
    """Raised by mien.client. code is the voice's error code, or `unreachable`."""

    def __init__(self, message: str, *, code: str = "unreachable", retryable: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
