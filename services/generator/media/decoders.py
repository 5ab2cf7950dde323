"""How are foreign files looked into without harm? By a few child processes, one file at a time.

A child lives for many files. One that crashes, hangs or says nonsense is killed, its file goes
without, and another is started for the next. Files wait for a child only so long: a flood of them,
or of hostile ones, costs previews and never a job.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

import structlog

from generator.media.kinds import is_opened
from generator.media.seen import Head, Seen

log = structlog.get_logger()

#: Seconds for one file, and for a file until a child is free.
LONGEST_LOOK: Final = 10.0
LONGEST_WAIT: Final = 15.0
#: Files until a child is replaced, whatever it has lost track of by then.
_FILES_EACH = 1000
# After this a child whose parent does not end it ends itself.
_OVERDUE = 5
_PR_SET_DUMPABLE = 4


class _Died(Exception):
    """The child ended, or says what no child says."""


class _Child:
    """One process, started when it is needed."""

    def __init__(self, memory: int, longest_look: float) -> None:
        self._memory = memory
        self._longest_look = longest_look
        self._process: asyncio.subprocess.Process | None = None
        self._files = 0

    async def look(self, path: Path, media_type: str, longest: int) -> Seen:
        asked = {"path": str(path), "media_type": media_type, "longest": longest}
        try:
            async with asyncio.timeout(self._longest_look):
                seen, retire = await self._ask(json.dumps(asked).encode() + b"\n")
        except TimeoutError:
            seen, retire = Seen(problem="it takes too long"), True
        except (_Died, OSError, ValueError, KeyError) as error:
            seen, retire = Seen(problem=f"the decoder ended: {type(error).__name__}"), True
        except BaseException:
            await self.end()  # it is in the midst of a file
            raise
        self._files += 1
        if retire or self._files >= _FILES_EACH:
            await self.end()
        return seen

    async def _ask(self, line: bytes) -> tuple[Seen, bool]:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line)
        await process.stdin.drain()
        answer = await process.stdout.readline()
        if not answer:
            raise _Died
        head = Head.read(answer)
        try:
            preview = await process.stdout.readexactly(head.preview_bytes)
        except asyncio.IncompleteReadError as error:
            raise _Died from error
        return replace(head.seen, preview=preview), head.retire

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._files = 0
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-BP", "-m", "generator.media.child",
                str(self._memory), str(int(self._longest_look) + _OVERDUE),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                # Nothing of ours: the environment has the account's token in it.
                env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LANG": "C.UTF-8"},
                cwd="/",
            )  # fmt: skip
        return self._process

    async def end(self) -> None:
        """At once. It has nothing to put in order."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Decoders:
    """So many children, which all share."""

    def __init__(
        self,
        children: int,
        *,
        memory: int,
        longest_look: float = LONGEST_LOOK,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        """*memory*: bytes of address space for each. With no child nothing is looked into."""
        self._free = [_Child(memory, longest_look) for _ in range(children)]
        self._all = tuple(self._free)
        self._turns = asyncio.Semaphore(children)
        self._longest_wait = longest_wait

    async def __aenter__(self) -> Self:
        if self._all and sys.platform == "linux":
            # Who takes a child over is the same user, who may read our environment and memory.
            ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        for child in self._all:
            await child.end()

    def opens(self, media_type: str) -> bool:
        """Such a file is looked into at all."""
        return bool(self._all) and is_opened(media_type)

    async def look(self, path: Path, media_type: str, longest: int) -> Seen:
        """What the file shows, with a preview whose sides are at most *longest* pixels. What can
        not be found out is left out; nothing is raised for what the file is."""
        if not self.opens(media_type):
            return Seen()
        try:
            async with asyncio.timeout(self._longest_wait):
                await self._turns.acquire()
        except TimeoutError:
            seen = Seen(problem="no decoder was free")
        else:
            child = self._free.pop()
            try:
                seen = await child.look(path, media_type, longest)
            finally:
                self._free.append(child)
                self._turns.release()
        if seen.problem:
            log.info("media.unreadable", media_type=media_type, problem=seen.problem)
        return seen
