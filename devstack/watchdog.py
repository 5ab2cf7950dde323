"""Who ends the parts when the supervisor itself is killed with -9?

A process of its own, started with only the standard library. Its standard input is a pipe from the
supervisor: `start <group> <signal>` and `end <group>`, one a line. The pipe's end means that the
supervisor is gone: every group still known gets its stop signal and, five seconds later, SIGKILL.
The kernel's parent-death signal (child.py) is faster but reaches only a part's first process, and
exists only on Linux.
"""

import os
import signal
import sys
import time

_GRACE = 5.0


def main() -> None:
    """Keep the list until the pipe ends, then end what is on it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        verb, group, *rest = line.split()
        if verb == "start":
            groups[int(group)] = int(rest[0])
        else:
            groups.pop(int(group), None)
    for group, number in groups.items():
        _signal(group, number)
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline and any(_signal(group, 0) for group in groups):
        time.sleep(0.05)
    for group in groups:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
