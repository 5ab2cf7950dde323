"""How do tests drive a real browser? Chromium without windows, told what to do over two pipes.

It speaks the DevTools protocol: JSON messages, each ended by a zero byte. A page of another site is
one whose name the browser is told to look for at a server of the test's own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

from devstack.browser_install import Chromium, browser_folder, find

Json = dict[str, Any]

# DevTools' pipes are the descriptors 3 and 4, whichever the ends were that we made.
_WITH_PIPES = 'exec "$@" 3</dev/fd/{inward} 4>/dev/fd/{outward}'
_OPTIONS = (
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",  # tests may run as root, where there is none
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-proxy-server",
    "--no-first-run",
)
_LARGEST = 64 << 20


class PageFailed(Exception):
    """The page's script has thrown."""


class Browser:
    """One Chromium. Leave the block to end it."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rules = ",".join(f"MAP {name} {address}" for name, address in names.items())
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}

    async def __aenter__(self) -> Self:
        chromium = await asyncio.to_thread(find, browser_folder(), print)
        to_it, from_it = os.pipe(), os.pipe()
        self._process = self._start(chromium, to_it[0], from_it[1])
        os.close(to_it[0])
        os.close(from_it[1])
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_LARGEST)
        await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), os.fdopen(from_it[0], "rb")
        )
        self._writer, _ = await loop.connect_write_pipe(
            asyncio.BaseProtocol, os.fdopen(to_it[1], "wb")
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        self._reading.cancel()

    def _start(self, chromium: Chromium, inward: int, outward: int) -> subprocess.Popen[bytes]:
        options = [*_OPTIONS, f"--user-data-dir={self._folder}"]
        if self._rules:
            options.append(f"--host-resolver-rules={self._rules}")
        with (self._folder / "chromium.log").open("wb") as log:
            return subprocess.Popen(
                ["sh", "-c", _WITH_PIPES.format(inward=inward, outward=outward), "sh",
                 str(chromium.program), *options],
                env={**os.environ, **chromium.environment},
                pass_fds=(inward, outward),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )  # fmt: skip

    async def page(self, url: str) -> Page:
        """A new page, once it is loaded."""
        target = await self.ask("Target.createTarget", url="about:blank")
        attached = await self.ask(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        page = Page(self, attached["sessionId"])
        await self.ask("Page.navigate", page.session, url=url)
        async with asyncio.timeout(30):
            while not await page.run(
                "return location.href != 'about:blank' && document.readyState == 'complete'"
            ):
                await asyncio.sleep(0.05)
        return page

    async def ask(self, method: str, session: str = "", /, **params: Any) -> Json:
        """What the browser answers to a DevTools method."""
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        message: Json = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._writer.write(json.dumps(message).encode() + b"\0")
        try:
            async with asyncio.timeout(60):
                told = await answer
        finally:
            del self._answers[number]
        if "error" in told:
            raise PageFailed(f"{method}: {told['error']}")
        result: Json = told["result"]
        return result

    async def _read(self) -> None:
        while True:
            try:
                body = await self._reader.readuntil(b"\0")
            except asyncio.IncompleteReadError:
                log = (self._folder / "chromium.log").read_text(errors="replace")
                for answer in self._answers.values():
                    answer.set_exception(PageFailed(f"the browser has ended:\n{log}"))
                return
            message = json.loads(body[:-1])
            answered = self._answers.get(message.get("id", 0))
            if answered is not None and not answered.done():
                answered.set_result(message)


class Page:
    """A page that is open."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self.session = session

    async def run(self, body: str, /, **values: Any) -> Any:
        """What the body of an async function returns, which finds *values* by their names."""
        names = ", ".join(values)
        given = ", ".join(json.dumps(value) for value in values.values())
        told = await self._browser.ask(
            "Runtime.evaluate",
            self.session,
            expression=f"(async ({names}) => {{{body}\n}})({given})",
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in told:
            raise PageFailed(json.dumps(told["exceptionDetails"], indent=1))
        return told["result"].get("value")

    async def script(self, code: str) -> None:
        """Runs a script of the page's own: its names stay."""
        told = await self._browser.ask("Runtime.evaluate", self.session, expression=code)
        if "exceptionDetails" in told:
            raise PageFailed(json.dumps(told["exceptionDetails"], indent=1))

    async def until(self, condition: str, /, *, seconds: float = 60, **values: Any) -> None:
        """Waits until the expression is true."""
        try:
            async with asyncio.timeout(seconds):
                while not await self.run(f"return {condition}", **values):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise PageFailed(f"not within {seconds} s: {condition}") from None


@asynccontextmanager
async def browser(folder: Path, **names: str) -> AsyncIterator[Browser]:
    """A browser that finds the sites of these *names* at these addresses."""
    async with Browser(folder, names) as started:
        yield started


class _Blank(BaseHTTPRequestHandler):
    """A page with nothing on it."""

    def do_GET(self) -> None:
        body = b"<!doctype html><title>a site</title>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return None


@asynccontextmanager
async def site() -> AsyncIterator[str]:
    """The address, host:port, of a site whose every page is empty."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        await asyncio.to_thread(server.shutdown)
        thread.join()
        server.server_close()
