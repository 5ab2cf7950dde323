"""Where can a test kill this process, as a crash would? Before and after every step that counts.

    with failpoints.around("claim_job"):     before_claim_job … after_claim_job (not if it raises)
        await …

MEDIAGEN_FAILPOINT=after_claim_job kills the process the first time it gets there, after_claim_job:3
the third. With MEDIAGEN_FAILPOINT_MARK=FILE it kills only the process that can create that file, so
that the next one, started with the same environment, goes on. MEDIAGEN_FAILPOINT_SIGNAL=SIGSTOP
freezes it there, once, instead of killing it. A service lists its steps in its own
`failpoints.py` and arms them in its `__main__`; what is not armed does nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

_NOTHING = nullcontext()


class _Chosen:
    """The one failpoint of this process, and how often it is passed before it kills."""

    def __init__(self, name: str, passes: int) -> None:
        self.name = name
        self.left = passes

    def reached(self, name: str) -> bool:
        """True in the instant to die."""
        if name != self.name:
            return False
        self.left -= 1
        return self.left == 0 and _marked()


_chosen: _Chosen | None = None


def names(steps: Iterable[str], halfway: Iterable[str] = ()) -> tuple[str, ...]:
    """The failpoints of *steps*. Those in *halfway* have one more: sent, and not answered yet."""
    midway = frozenset(halfway)
    found: list[str] = []
    for step in steps:
        found.append(f"before_{step}")
        if step in midway:
            found.append(f"during_{step}")
        found.append(f"after_{step}")
    return tuple(found)


def arm(known: Iterable[str]) -> None:
    """Takes up the environment's choice. A name that is not *known* would test nothing."""
    global _chosen
    _chosen = _read(os.environ.get("MEDIAGEN_FAILPOINT", ""), frozenset(known))


def _read(setting: str, known: frozenset[str]) -> _Chosen | None:
    if not setting:
        return None
    name, _, nth = setting.partition(":")
    if name not in known:
        raise ValueError(f"MEDIAGEN_FAILPOINT: this process has no failpoint {name!r}")
    return _Chosen(name, int(nth or 1))


def armed() -> bool:
    """One was chosen: only for what a failpoint itself needs."""
    return _chosen is not None


def around(step: str) -> AbstractContextManager[None]:
    """Passes the step's failpoints: one on entering, one on leaving without an error."""
    return _NOTHING if _chosen is None else _Around(step)


def before(step: str) -> None:
    """Nothing of the step has had an effect yet."""
    if _chosen is not None:
        _hit(f"before_{step}")


def during(step: str) -> None:
    """The step has been asked for, and nobody has heard the answer."""
    if _chosen is not None:
        _hit(f"during_{step}")


def after(step: str) -> None:
    """The step is done, and nothing has come of it yet."""
    if _chosen is not None:
        _hit(f"after_{step}")


class _Around:
    def __init__(self, step: str) -> None:
        self._step = step

    def __enter__(self) -> None:
        before(self._step)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            after(self._step)


def _hit(name: str) -> None:
    """Dies here by SIGKILL, unhandled and unflushed, if this failpoint was chosen."""
    if _chosen is not None and _chosen.reached(name):
        os.kill(os.getpid(), signal.Signals[os.environ.get("MEDIAGEN_FAILPOINT_SIGNAL", "SIGKILL")])


def _marked() -> bool:
    """This process is the one to die. Without a mark, every one is."""
    mark = os.environ.get("MEDIAGEN_FAILPOINT_MARK")
    if not mark:
        return True
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True
