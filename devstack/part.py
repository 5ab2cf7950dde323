"""What must the supervisor know of one part of the stack?"""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Say = Callable[[str], None]


class DevstackError(Exception):
    """The stack cannot start or go on; the message is for the person at the keyboard."""


@dataclass(frozen=True)
class Command:
    """One process to start: its whole argument list and its whole environment."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path | None = None


@dataclass(frozen=True)
class Port:
    """A TCP port that a part listens on, and the variable that moves it."""

    number: int
    variable: str


Prepare = Callable[[Say], Awaitable[Command]]
Ready = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Part:
    """One supervised process.

    prepare: makes what the part needs (a data directory, unpacked binaries) and returns the
        command. It is called before every start, so it must be cheap when there is nothing to do.
    ready: one probe; true when callers can be served. Probed until it is true once per start.
    needs: the parts that must outlive this one when the stack stops.
    starts_after: those of `needs` that must be ready before it is started; all of them if None.
        Fewer where a part waits for the others itself: then its own start does not cost time.
    screen: which output lines are worth the screen; every line goes to the log.
    """

    name: str
    prepare: Prepare
    ready: Ready
    needs: tuple[str, ...] = ()
    starts_after: tuple[str, ...] | None = None
    ports: tuple[Port, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    screen: Callable[[str], bool] = field(default=lambda line: True)
