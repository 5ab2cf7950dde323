"""Which ports are free, and who holds one that is not?"""

import random
import socket
from contextlib import closing
from pathlib import Path

# Below Linux's (32768) and macOS's (49152) ranges for outgoing connections: a port found free here
# is not taken by somebody's client socket a moment later, as one from port 0 may be.
_FREE = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(prefer: int | None = None, avoid: set[int] | None = None) -> int:
    """A port to listen on: the preferred one if it is free, else a random free one.

    avoid: ports already given out; the result is added to it.
    """
    given = avoid if avoid is not None else set()
    candidates = random.sample(_FREE, k=200)
    for port in [prefer, *candidates] if prefer else candidates:
        if port not in given and is_free(port):
            given.add(port)
            return port
    raise OSError("no free port between 20000 and 32000")


def holder(port: int) -> str:
    """The process that listens on the port, as "pid 12 (nginx)"; "another process" if unknown."""
    inodes = _listening_inodes(port)
    for fd in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        try:
            if str(fd.readlink()) in inodes:
                process = fd.parent.parent
                return f"pid {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:
            continue  # the process has ended, or is somebody else's
    return "another process"


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
