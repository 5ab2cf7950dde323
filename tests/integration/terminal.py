"""How does a test run a command on a terminal?"""

from __future__ import annotations

import os
import select
import subprocess
import time


class Terminal:
    """A command on a terminal of its own, as its foreground process."""

    def __init__(self, *command: str) -> None:
        # Our own end of the slave stays open: reading a terminal that nobody has is an error.
        self.master, self._slave = os.openpty()
        tty = os.ttyname(self._slave)
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
        # The first process of a session gets the first terminal that it opens: Ctrl-C works.
        self.process = subprocess.Popen(
            ["sh", "-c", 'tty=$1; shift; exec "$@" <"$tty" >"$tty" 2>&1', "sh", tty, *command],
            start_new_session=True,
            env=environment,
        )
        self.screen = ""

    def until(self, text: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while text not in self.screen:
            assert time.monotonic() < end, f"no {text!r} in {self.screen!r}"
            ended = self.process.poll() is not None
            if select.select([self.master], [], [], 0.1)[0]:
                self.screen += os.read(self.master, 65536).decode(errors="replace")
            elif ended:
                end = 0

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def exit_code(self) -> int:
        return self.process.wait(timeout=20)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self._slave)
