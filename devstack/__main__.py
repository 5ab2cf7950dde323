"""`make run`: how does the stack start, and what do Ctrl-C and a part that fails do?"""

import asyncio
import os
import signal
import sys
import time

from .banner import banner
from .part import DevstackError
from .screen import Screen
from .settings import read_settings, software_folder
from .stack import make_plan
from .supervisor import Supervisor


class Stopping:
    """First Ctrl-C (or SIGTERM): stop in order. Second one: kill."""

    def __init__(self, supervisor: Supervisor, screen: Screen) -> None:
        self.asked = asyncio.Event()
        self._supervisor = supervisor
        self._screen = screen
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if self.asked.is_set():
            self._screen.say("killing everything")
            self._supervisor.kill()
            return
        self._screen.say("stopping (Ctrl-C again kills)")
        self.asked.set()


async def run() -> int:
    """Start, serve until asked to stop; the exit status."""
    began = time.monotonic()
    settings = read_settings(os.environ)
    environ = {"LOG_FORMAT": "console", **os.environ}  # a person reads it
    plan = make_plan(settings, environ, software_folder())
    screen = Screen()
    supervisor = Supervisor(plan.parts, settings.state_dir, screen)
    async with supervisor:
        stopping = Stopping(supervisor, screen)
        asked = asyncio.create_task(stopping.asked.wait())
        starting = asyncio.create_task(supervisor.start())
        await asyncio.wait({asked, starting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            return 130
        starting.result()
        screen.plain(banner(plan, time.monotonic() - began))
        await asked
    screen.say("stopped")
    return 0


def main() -> int:
    try:
        return asyncio.run(run())
    except DevstackError as problem:
        print(f"\nmake run: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
