"""Does `mediagen watch --all` lose nothing on a real stack, when its gateway dies in the middle?"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import httpx

from devstack.testing import Stack
from tests.e2e.api_calls import FINAL, FLUX, SMALL, Json, generate
from tests.e2e.test_api_cli import mediagen

JOBS = 8


@asynccontextmanager
async def watching(
    stack: Stack, cwd: Path, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`mediagen watch --all`, which is ended with the block."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MEDIAGEN_")}
    environ["MEDIAGEN_SERVER"] = stack.gateway_address
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mediagen.cli", "watch", "--all", *options),
        cwd=cwd,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=4 * 1024 * 1024,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def lines(process: asyncio.subprocess.Process) -> AsyncIterator[Json]:
    assert process.stdout is not None
    async for line in process.stdout:
        yield json.loads(line)


async def test_every_job_is_shown_to_its_end_over_a_gateway_that_dies(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """Started before the submits; SIGKILL with half of them told. Each job's revisions are each
    told once and in order from the first to the last."""
    label = ("--json", "--label", "of=watch-all")
    seen: dict[str, list[Json]] = {}
    async with watching(stack, tmp_path, *label) as process:
        told = lines(process)
        async with asyncio.timeout(120):
            async for event in told:
                if "synced" in event:
                    break
            for number in range(JOBS // 2):
                await generate(http, f"watch all {number}", model=FLUX, input=SMALL,
                               labels={"of": "watch-all"})  # fmt: skip
            killed = False
            async for event in told:
                job = event.get("update") or event.get("snapshot")
                if job is None:
                    continue
                seen.setdefault(job["job_id"], []).append(job)
                if not killed and len(seen) == JOBS // 2:
                    killed = True
                    await asyncio.to_thread(stack.kill, "gateway-1")
                    await asyncio.to_thread(stack.wait_ready, "gateway-1")
                    for number in range(JOBS // 2, JOBS):
                        await generate(http, f"watch all {number}", model=FLUX, input=SMALL,
                                       labels={"of": "watch-all"})  # fmt: skip
                ended = [each for each in seen.values() if each[-1]["state"] in FINAL]
                if len(ended) == JOBS:
                    break
        cursor = event["cursor"]
    for jobs in seen.values():
        revisions = [job["revision"] for job in jobs]
        assert revisions[0] == 1
        assert all(later == one + 1 for one, later in pairwise(revisions))
        assert jobs[-1]["state"] == "STATE_COMPLETED"
        assert jobs[-1]["artifacts"]
        assert {job["request"]["model"] for job in jobs} == {FLUX}
    again = await mediagen(
        stack, tmp_path, "watch", "--all", *label, "--cursor", cursor, "--max-wait", "1s"
    )
    assert again.code == 0
    assert not [line for line in again.out.splitlines() if '"update"' in line]


async def test_plain_lines_end_with_every_jobs_end(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """For a log: each job's id beside the word for its end."""
    async with watching(stack, tmp_path, "--label", "of=watch-lines") as process:
        assert process.stdout is not None
        ids: set[str] = set()
        ended: set[str] = set()
        async with asyncio.timeout(60):
            async for raw in process.stdout:
                line = raw.decode()
                if "are open" in line and not ids:
                    for number in range(2):
                        job = await generate(http, f"lines {number}", model=FLUX, input=SMALL,
                                             labels={"of": "watch-lines"})  # fmt: skip
                        ids.add(job["job_id"])
                ended |= {each for each in ids if each in line and "completed" in line}
                if ids and ended == ids:
                    return
    raise AssertionError("it ended by itself")
