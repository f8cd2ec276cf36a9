"""A reactor that the test steps by hand; the sockets on it are real, the clock is not."""

from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.transport.zmtp.reactor import Reactor

STEPS = 4000
START_NS = 86_400 * 10**9  # far from 0, as a machine's clock is


class ReactorRig:
    """served: what step() serves after the sockets, such as the voice's bus or router; set by the subclass."""

    def __init__(self, *, clock=None, counters=None):
        self.clock, self.counters, self.reactor = clock or ManualClock(START_NS), counters or Counters(), Reactor()
        self.served = None

    def step(self, ms=5):
        """Wait up to ms for a socket, let one ms pass on the clock, serve."""
        self.reactor.wait(ms)
        self.clock.advance_ms(1)
        self.served.step()

    def until(self, condition):
        """Step until the condition holds; returns what it returned. Fails after STEPS steps."""
        for _ in range(STEPS):
            if found := condition():
                return found
            self.step(5)
        raise AssertionError("it never came")
