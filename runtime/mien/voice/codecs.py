"""Which encodings hello may name, and the codec of each."""

from mien.core.wire import ENCODINGS, RATES_HZ
from mien.errors import ProtocolError
from mien.voice.codec import Codec, S16Codec


def open_codec(encoding: str, rate_hz: int) -> Codec:
    """The codec for hello's encoding and rate. Raises ProtocolError: unsupported_encoding, unsupported_rate."""
    if encoding not in ENCODINGS:
        raise ProtocolError("unsupported_encoding", f"encoding '{encoding[:40]}' is not one of {', '.join(ENCODINGS)}")
    if rate_hz not in RATES_HZ:
        raise ProtocolError("unsupported_rate", f"rate_hz {rate_hz} is not one of {', '.join(map(str, RATES_HZ))}")
    return S16Codec(rate_hz)
