"""Which encodings hello may name, and the codec of each."""

from mien.audio.opus import MAX_PACKET_BYTES, OpusDecoder, available, packet_frames
from mien.core.wire import ENCODINGS, OPUS_RATES_HZ, RATES_HZ
from mien.errors import ProtocolError
from mien.voice.codec import Codec, Decode, S16Codec, check_size
from mien.voice.pcm import Pcm


class OpusCodec:
    """One Opus packet a payload, mono; decoded at rate_hz."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz

    def measure(self, payload: bytes) -> int:
        """What the packet's own header says. Raises ProtocolError (chunk_too_large, bad_packet)."""
        check_size(payload, MAX_PACKET_BYTES)
        try:
            return packet_frames(payload, self.rate_hz)
        except ValueError as error:
            raise ProtocolError("bad_packet", str(error)) from None

    def open(self) -> Decode:
        """A decoder of a turn's own: it carries state from packet to packet."""
        decoder = OpusDecoder(self.rate_hz)

        def decode(payload: bytes) -> Pcm:
            try:
                return decoder.decode(payload)
            except ValueError as error:
                raise ProtocolError("bad_packet", str(error)) from None

        return decode


def spoken_encodings() -> tuple[str, ...]:
    """What this installation takes: opus needs libopus."""
    return ENCODINGS if available() else ENCODINGS[:1]


def open_codec(encoding: str, rate_hz: int) -> Codec:
    """The codec for hello's encoding and rate. Raises ProtocolError: unsupported_encoding, unsupported_rate."""
    spoken = spoken_encodings()
    if encoding not in spoken:
        missing = "; for opus install Debian's libopus0" if encoding == "opus" else ""
        raise ProtocolError(
            "unsupported_encoding", f"encoding '{encoding[:40]}' is not one of {', '.join(spoken)}{missing}"
        )
    rates = OPUS_RATES_HZ if encoding == "opus" else RATES_HZ
    if rate_hz not in rates:
        raise ProtocolError("unsupported_rate", f"rate_hz {rate_hz} is not one of {', '.join(map(str, rates))}")
    return OpusCodec(rate_hz) if encoding == "opus" else S16Codec(rate_hz)
