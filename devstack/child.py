"""How is one process run: its output line by line, its end noticed, nothing of it left over?"""

import asyncio
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from .part import Command

_LOG_LIMIT = 8 * 1024 * 1024
_LINE_LIMIT = 64 * 1024


class BoundedLog:
    """A log file of at most 8 MiB; what is older moves to `<name>.1`, so 16 MiB in all."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("ab")

    def write(self, data: bytes) -> None:
        if self._file.tell() + len(data) > _LOG_LIMIT:
            self._file.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
            self._file = self.path.open("ab")
        self._file.write(data)
        self._file.flush()

    def close(self) -> None:
        self._file.close()


@cache
def _setpriv() -> str | None:
    """util-linux's setpriv, where it knows --pdeathsig (Linux, util-linux 2.33 or newer)."""
    found = shutil.which("setpriv")
    if found is None:
        return None
    trial = [found, "--pdeathsig", "TERM", "true"]
    done = subprocess.run(trial, capture_output=True, check=False)
    return found if done.returncode == 0 else None


def dies_with_parent(argv: tuple[str, ...], last_signal: signal.Signals) -> tuple[str, ...]:
    """The command, told by the kernel to end when the thread that started it is gone.

    setpriv and not `preexec_fn`, which is unsafe once threads exist. A change of user clears the
    setting, so prefixes that make one must stand before this one.
    """
    setpriv = _setpriv()
    if setpriv is None:
        return argv
    return (setpriv, "--pdeathsig", last_signal.name.removeprefix("SIG"), "--", *argv)


class Child:
    """A started process, alone in a session of its own: the terminal's Ctrl-C does not reach it."""

    def __init__(self, command: Command, log: BoundedLog, on_line: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._log = log
        self._on_line = on_line
        self._rest = b""
        self._process = subprocess.Popen(
            command.argv,
            env=dict(command.env),
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.ended: asyncio.Future[int] = self._loop.create_future()
        assert self._process.stdout is not None
        self._fd = self._process.stdout.fileno()
        os.set_blocking(self._fd, False)
        self._loop.add_reader(self._fd, self._read)
        # A thread and not asyncio's child watcher: that one needs the main thread on some
        # versions, and on others waits for the pipe, which grandchildren may hold open.
        threading.Thread(target=self._wait, name=f"wait-{self.pid}", daemon=True).start()

    def send(self, number: signal.Signals) -> None:
        """Signal the process itself."""
        if not self.ended.done():
            self._process.send_signal(number)

    def kill_group(self) -> None:
        """SIGKILL whatever is left of the process and its children."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """After the end: sweep the group, take what output is left."""
        self.kill_group()
        if self._process.stdout is None or self._process.stdout.closed:
            return
        self._read()
        self._finish()

    def _wait(self) -> None:
        code = self._process.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            self._loop.call_soon_threadsafe(self._resolve, code)

    def _resolve(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)

    def _read(self) -> None:
        try:
            while data := os.read(self._fd, 65_536):
                self._take(data)
        except BlockingIOError:
            return
        self._finish()

    def _take(self, data: bytes) -> None:
        self._log.write(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_LIMIT:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._on_line(line.decode(errors="replace").rstrip("\r"))

    def _finish(self) -> None:
        stdout = self._process.stdout
        if stdout is None or stdout.closed:
            return
        self._loop.remove_reader(self._fd)
        stdout.close()
        if self._rest:
            self._take(b"\n")
