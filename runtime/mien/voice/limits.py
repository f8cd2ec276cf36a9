"""Rate limits per client."""

from dataclasses import dataclass
from typing import Final

from mien.config import VoiceConfig
from mien.units import NS_PER_S

BURST_S: Final = 2.0
ERRORS_A_SECOND: Final = 5.0
BYTES_A_KB: Final = 1000


@dataclass(slots=True)
class Bucket:
    """A token bucket: fills at rate_s up to capacity; level is what may be taken now."""

    rate_s: float
    capacity: float
    level: float
    filled_ns: int

    def fill(self, now_ns: int) -> None:
        """Add what has accumulated since the last fill."""
        self.level = min(self.capacity, self.level + self.rate_s * (now_ns - self.filled_ns) / NS_PER_S)
        self.filled_ns = now_ns

    def take(self, amount: float) -> bool:
        """Take the amount if it is there."""
        if amount > self.level:
            return False
        self.level -= amount
        return True


@dataclass(slots=True)
class Allowance:
    """What one client may still send, and how often it is told of a refusal."""

    messages: Bucket
    size: Bucket
    errors: Bucket

    @property
    def full(self) -> bool:
        """Whether dropping this allowance changes nothing."""
        return all(bucket.level >= bucket.capacity for bucket in (self.messages, self.size, self.errors))


class RateLimits:
    """An allowance for every connection that sends. Bounded: full ones are dropped."""

    def __init__(self, config: VoiceConfig) -> None:
        self._rates = (float(config.max_messages_per_s), float(config.max_kb_per_s * BYTES_A_KB), ERRORS_A_SECOND)
        self._allowances: dict[bytes, Allowance] = {}

    def __len__(self) -> int:
        return len(self._allowances)

    def take(self, identity: bytes, size: int, now_ns: int) -> bool:
        """Whether one more message of `size` bytes is allowed now."""
        allowance = self._of(identity, now_ns)
        allowance.messages.fill(now_ns)
        allowance.size.fill(now_ns)
        return allowance.messages.take(1.0) and allowance.size.take(size)

    def may_tell(self, identity: bytes, now_ns: int) -> bool:
        """Whether to tell this client of a refusal. A flood is not answered with a flood."""
        allowance = self._of(identity, now_ns)
        allowance.errors.fill(now_ns)
        return allowance.errors.take(1.0)

    def leave(self, identity: bytes) -> None:
        """A client has left."""
        self._allowances.pop(identity, None)

    def sweep(self, now_ns: int) -> None:
        """Drop the allowances that are full. Call it about once a second."""
        for identity, allowance in list(self._allowances.items()):
            for bucket in (allowance.messages, allowance.size, allowance.errors):
                bucket.fill(now_ns)
            if allowance.full:
                del self._allowances[identity]

    def _of(self, identity: bytes, now_ns: int) -> Allowance:
        allowance = self._allowances.get(identity)
        if allowance is None:
            buckets = (Bucket(rate, rate * BURST_S, rate * BURST_S, now_ns) for rate in self._rates)
            allowance = self._allowances[identity] = Allowance(*buckets)
        return allowance
