"""The examples of docs/events.md, as they stand there, against a real stack and a real browser."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, SMALL, finished, generate, set_fault
from tests.e2e.browser import browser

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/events.md").read_text()
TEN_LINES = 10


def example(kind: str) -> str:
    """The page's only example of a kind."""
    [code] = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return str(code)


@asynccontextmanager
async def following(stack: Stack, *command: str) -> AsyncIterator[asyncio.StreamReader]:
    """What the command says, until the block ends."""
    bins = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    words = [
        word.replace("localhost:50051", stack.gateway_address).replace(
            "http://localhost:8000", stack.edge_url
        )
        for word in command
    ]
    process: Process = await asyncio.create_subprocess_exec(
        *words, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env={**os.environ, "PATH": bins}
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        await process.communicate()


async def said(output: asyncio.StreamReader, *words: str) -> None:
    """Reads until each of the words was said, in this order."""
    left = list(words)
    async with asyncio.timeout(60):
        while left:
            line = (await output.readline()).decode()
            assert line, f"it has ended, and never said {left}"
            while left and left[0] in line:
                left.pop(0)


async def test_the_examples_tell_of_a_job_to_its_end(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """The page's ten lines, the Python program, buf curl and curl: all see a job complete."""
    script = example("js")
    assert len(script.strip().splitlines()) <= TEN_LINES
    shell = example("sh").replace("\\\n", " ").strip().splitlines()
    assert [line.split()[0] for line in shell] == ["buf", "curl"]
    async with browser(tmp_path) as chromium, AsyncExitStack() as programs:
        page = await chromium.page(f"{stack.edge_url}/docs")
        await page.script(
            "var rendered = []; function render(jobs) { rendered = [...jobs.values()]; }"
        )
        await page.script(script)
        await page.until("events.readyState == EventSource.OPEN")
        commands = [(sys.executable, "-c", example("python"))]
        commands += [("sh", "-c", f"exec {line}") for line in shell]
        told = [
            await programs.enter_async_context(following(stack, *command)) for command in commands
        ]
        await set_fault(stack, "comes first", "run", arg="300")
        first = (await generate(http, "comes first", model=FLUX, input=SMALL))["job_id"]
        for output in told:
            await said(output, first)  # so it listens
        job_id = (await generate(http, "an example", model=FLUX, input=SMALL))["job_id"]
        job = await finished(http, job_id)
        python, buf, curl = told
        await said(python, f"{job_id} {job['revision']} STATE_COMPLETED")
        await said(buf, job_id, "STATE_COMPLETED")
        await said(curl, job_id, '"state":"STATE_COMPLETED"')
        await page.until("rendered.some(job => job.state == 'STATE_COMPLETED')")
        [shown] = await page.run("return rendered.filter(job => job.job_id == id)", id=job_id)
        assert shown["revision"] == job["revision"]
        assert shown["request"]["prompt"] == "an example"
        assert shown["artifacts"] == job["artifacts"]
        await http.post(f"/api/v1/jobs/{first}:cancel", json={})
        await finished(http, first)
