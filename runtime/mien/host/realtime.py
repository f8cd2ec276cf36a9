"""Real-time priority for the playback loop."""

import logging
import os
import resource
import signal

log = logging.getLogger("mien.host")

PRIORITY = 10  # of 1..99; the kernel's own interrupt threads have 50


def use_realtime_priority() -> bool:
    """Give the calling thread, and none that it starts, priority over all ordinary threads (SCHED_RR, sched(7)).

    Call it from the main thread, which also gets a handler for SIGXCPU. Returns whether it was done: the service's unit
    allows it (LimitRTPRIO); on a desktop nothing changes, even for root. A loop that runs for the soft LimitRTTIME
    without sleeping loses the priority for good, so that the rest of the board can run.
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
    log.warning("the loop ran too long without sleeping; it continues without real-time priority")
