"""Stack traces of running threads, for diagnosing hangs."""

import sys
import threading
import traceback


def where(thread: threading.Thread, depth: int = 5) -> str:
    """The innermost calls of a thread, one per line."""
    frame = sys._current_frames().get(thread.ident or 0)
    return "".join(traceback.format_stack(frame)[-depth:]) if frame is not None else "just ended"
