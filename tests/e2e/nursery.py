"""How are a hundred processes started, each to be killed, and their code loaded only once?

`python nursery.py store generator` loads the code of these once. For each line that it reads (a
module, its environment, its log) it forks a child, which then does what `python -m MODULE` does.
What it has loaded by then has opened no connection and started no thread. The children die with it,
and it ends with whoever holds the other end of its input.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent.parent
_PATH = ":".join(map(str, (ROOT / "client", ROOT / "services", ROOT)))
_PR_SET_PDEATHSIG = 1


class Nursery:
    """Starts processes of *modules*. Leaving the block kills every one that is left."""

    def __init__(self, *modules: str) -> None:
        self._argv = [sys.executable, __file__, *modules]

    def __enter__(self) -> Self:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("REPLICATE_")}
        self._kept = {**kept, "PYTHONPATH": _PATH, "LOG_FORMAT": "console"}
        self._process = subprocess.Popen(
            self._argv, env=self._kept, cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def start(self, module: str, env: Mapping[str, str], log: Path) -> Newborn:
        """`python -m MODULE` with *env* beside the environment of the tests."""
        order = {"module": module, "env": {**self._kept, **env}, "log": str(log)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Newborn(int(self._process.stdout.readline()))


class Newborn:
    """One process. Leaving the block kills it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def gone(self) -> bool:
        return self._fd < 0 or bool(select.select([self._fd], [], [], 0)[0])

    def drain(self) -> None:
        """SIGTERM, as a deploy does."""
        signal.pidfd_send_signal(self._fd, signal.SIGTERM)

    def end(self) -> None:
        if self._fd < 0:
            return
        if not self.gone:
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)
            select.select([self._fd], [], [])
        os.close(self._fd)
        self._fd = -1


def main(modules: list[str]) -> None:
    """The nursery's own process."""
    for name in modules:
        importlib.import_module(f"{name}.__main__")
        del sys.modules[f"{name}.__main__"]  # each child runs it anew, under its other name
    assert threading.active_count() == 1
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for the end of a child but by pidfd
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(**json.loads(line))
        print(pid, flush=True)


def _become(module: str, env: dict[str, str], log: str) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    out = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(env)
    sys.argv[:] = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main(sys.argv[1:])
