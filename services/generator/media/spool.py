"""Where does a file lie while it is looked into? In a folder of this process, within a bound.

The bytes are written down as they pass on their way to storage. Where there is no room, or the
disk fails, the copy is given up and the file passes all the same. The folder goes with the process;
those of processes that were killed are removed by the next one to start.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

import structlog

log = structlog.get_logger()

PREFIX: Final = "mediagen-spool-"
_LOCK = "lock"
_PIECE = 1024 * 1024  # so much is written at once, off the loop


class Copy:
    """One file's. `path` is there once `whole` is true."""

    def __init__(self, spool: Spool, path: Path) -> None:
        self._spool = spool
        self.path = path
        self.whole = False
        self._size = 0
        self._failed = False
        self._waiting = bytearray()

    async def passing(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same chunks. A copy that was begun before is begun anew."""
        self._drop()
        self._failed = False
        async for chunk in chunks:
            await self._take(chunk)
            yield chunk
        await self._write_down()
        self.whole = not self._failed

    async def _take(self, chunk: bytes) -> None:
        if self._failed:
            return
        if not self._spool.reserve(len(chunk)):
            log.info("spool.full", size=self._size)
            self._give_up()
            return
        self._size += len(chunk)
        self._waiting += chunk
        if len(self._waiting) >= _PIECE:
            await self._write_down()

    async def _write_down(self) -> None:
        if self._failed:
            return
        piece, self._waiting = bytes(self._waiting), bytearray()
        try:
            await asyncio.to_thread(_append, self.path, piece)
        except OSError as error:
            log.warning("spool.failed", error=type(error).__name__)
            self._give_up()

    def _give_up(self) -> None:
        self._drop()
        self._failed = True

    def _drop(self) -> None:
        self.whole = False
        self._waiting = bytearray()
        self._spool.release(self._size)
        self._size = 0
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


class Spool:
    """The folder, for as long as it is entered."""

    def __init__(self, limit: int, parent: Path | None = None) -> None:
        """*limit*: bytes of all copies together. *parent*: the system's folder of such."""
        self._room = limit
        self._parent = parent or Path(tempfile.gettempdir())
        self._number = 0

    def __enter__(self) -> Self:
        _remove_left(self._parent)
        while True:
            self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
            self._lock = os.open(self.folder / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if (self.folder / _LOCK).exists():
                return self
            os.close(self._lock)  # another that starts took it for one that was left

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)

    @contextmanager
    def copy(self) -> Iterator[Copy]:
        """A place for one file, which is gone afterwards."""
        self._number += 1
        made = Copy(self, self.folder / str(self._number))
        try:
            yield made
        finally:
            made._drop()

    def reserve(self, size: int) -> bool:
        """Takes so many bytes of the room, if there are."""
        if size > self._room:
            return False
        self._room -= size
        return True

    def release(self, size: int) -> None:
        """Gives them back."""
        self._room += size


def _append(path: Path, piece: bytes) -> None:
    with path.open("ab") as file:
        file.write(piece)


def _remove_left(parent: Path) -> None:
    """Folders whose process is gone: nobody holds their lock."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # another's, or one that is just being made
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # it lives
        finally:
            os.close(lock)
