"""Temporary copies: within their bound, never in the way of what passes, and gone in the end."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from generator.media.spool import PREFIX, Copy, Spool

MIB = 1024**2


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for each in pieces:
        yield each


async def passed(copy: Copy, *pieces: bytes) -> bytes:
    return b"".join([each async for each in copy.passing(chunks(*pieces))])


def read(path: Path) -> bytes:
    return path.read_bytes()


def left(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


async def test_a_copy_is_made_of_what_passes(tmp_path: Path) -> None:
    """The same bytes, small ones and large ones; gone with its block, and with it its room."""
    with Spool(8 * MIB, tmp_path) as spool:
        for pieces in ([b"ab", b"", b"c"], [bytes(3 * MIB), b"x", bytes(2 * MIB)], []):
            with spool.copy() as copy:
                assert await passed(copy, *pieces) == b"".join(pieces)
                assert copy.whole
                assert read(copy.path) == b"".join(pieces)
        assert left(spool.folder) == ["lock"]
        assert spool.reserve(8 * MIB)


async def test_a_copy_that_finds_no_room_is_given_up(tmp_path: Path) -> None:
    """What passes, passes all the same; the room that it had is free for others."""
    with Spool(5 * MIB, tmp_path) as spool, spool.copy() as first, spool.copy() as second:
        await passed(first, bytes(3 * MIB))
        assert await passed(second, bytes(2 * MIB), b"x", b"y") == bytes(2 * MIB) + b"xy"
        assert (first.whole, second.whole) == (True, False)
        assert len(left(spool.folder)) == 2
        await passed(second, bytes(2 * MIB))
        assert second.whole


async def test_a_copy_that_broke_off_is_not_whole(tmp_path: Path) -> None:
    """Another try begins anew."""

    async def broken() -> AsyncIterator[bytes]:
        yield bytes(2 * MIB)
        raise ConnectionError

    with Spool(4 * MIB, tmp_path) as spool, spool.copy() as copy:
        with pytest.raises(ConnectionError):
            [each async for each in copy.passing(broken())]
        assert not copy.whole
        await passed(copy, bytes(3 * MIB))
        assert copy.whole
        assert len(read(copy.path)) == 3 * MIB


async def test_a_disk_that_fails_costs_the_copy_alone(tmp_path: Path) -> None:
    """The folder was taken away under it."""
    with Spool(4 * MIB, tmp_path) as spool, spool.copy() as copy:
        os.unlink(spool.folder / "lock")
        os.rmdir(spool.folder)
        assert await passed(copy, b"abc") == b"abc"
        assert not copy.whole
        assert spool.reserve(4 * MIB)


def test_only_its_owner_sees_the_folder_and_it_goes_with_the_process(tmp_path: Path) -> None:
    """Results may be private."""
    with Spool(1, tmp_path) as spool:
        assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert left(tmp_path) == []


def test_what_a_killed_process_left_goes_at_the_next_start_and_nothing_else(
    tmp_path: Path,
) -> None:
    """A folder whose lock nobody holds; not one that is in use, nor one of something else."""
    dead, other = tmp_path / f"{PREFIX}dead", tmp_path / "mediagen"
    for each in (dead, other):
        each.mkdir()
        (each / "lock").touch()
        (each / "1").write_bytes(b"left")
    with Spool(1, tmp_path) as living, Spool(1, tmp_path) as next_one:
        assert left(tmp_path) == sorted([living.folder.name, next_one.folder.name, "mediagen"])
    assert left(tmp_path) == ["mediagen"]


OWNER = """
import sys, time
from pathlib import Path
from generator.media.spool import Spool

with Spool(1000, Path(sys.argv[1])) as spool:
    (spool.folder / "1").write_bytes(b"x")
    print("ready", flush=True)
    time.sleep(60)
"""


async def test_a_process_that_is_killed_leaves_nothing_for_long(tmp_path: Path) -> None:
    """The next start removes it, and not before: it may only be slow."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", OWNER, str(tmp_path), stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.readline()
    with Spool(1, tmp_path):
        assert len(left(tmp_path)) == 2
    process.kill()
    await process.wait()
    assert len(left(tmp_path)) == 1
    with Spool(1, tmp_path) as spool:
        assert left(tmp_path) == [spool.folder.name]
