"""A stated load: processes that are busy all the time.

python -m mien.bench.board.busy computes until it is stopped, or until the process that started it ends.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mien.host.parent import end_with_parent, name_parent


@contextmanager
def busy_processes(count: int) -> Iterator[list[int]]:
    """Run `count` busy processes at ordinary priority; yields their ids."""
    environment = dict(os.environ)
    name_parent(environment)
    running: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(count):
            command = [sys.executable, "-m", "mien.bench.board.busy"]
            running.append(subprocess.Popen(command, env=environment, start_new_session=True))
        yield [process.pid for process in running]
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


def main() -> None:
    """Be busy."""
    end_with_parent()
    number = 0
    while True:
        number = (number * 1103515245 + 12345) % 2**31


if __name__ == "__main__":
    main()
