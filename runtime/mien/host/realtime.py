"""A real-time turn on the processor for the loop that plays, and the end of it when the loop stops sleeping."""

import logging
import os
import resource
import signal

log = logging.getLogger("mien.host")

PRIORITY = 10  # of 1..99; the kernel's own interrupt threads have 50


def take_realtime_turn() -> bool:
    """Run the calling thread, and none that it starts, before every ordinary one (SCHED_RR, sched(7)).

    To be called from the main thread, which also gets a handler for SIGXCPU. Returns whether it was done: the
    service's unit allows it (LimitRTPRIO); on a desk nothing changes, not even for root.
    A loop that runs for the soft LimitRTTIME without sleeping goes on as an ordinary one, for good: it has lost more
    than priority can give, and whatever else the board does must have its turn.
    """
    if resource.getrlimit(resource.RLIMIT_RTPRIO)[0] < PRIORITY:
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError:
        return False
    signal.signal(signal.SIGXCPU, lambda *_: _give_up())
    return True


def _give_up() -> None:
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    log.warning("the loop ran too long without a pause: it gives up its real-time priority")
