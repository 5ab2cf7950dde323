"""One stack and one Chromium for all tests of the page, and a tab for each.

Everything runs on the session's event loop: each file says
`pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

import asyncio
import fcntl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from devstack.browser_install import browser_folder, find
from devstack.ports import free_port
from devstack.testing import Broker, PostgresServer, Stack
from tests.e2e.api_calls import caller, stack_of_its_own
from tests.e2e.web.browsing import PHONE, Troubles, tab

ROOT = Path(__file__).parents[3]
OpenTab = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
def elsewhere() -> str:
    """An origin on this machine that is not the API's, and whose pages may call it."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="session")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    elsewhere: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A stack that only the page's tests use. A test that kills a part waits until it is back."""
    folder = tmp_path_factory.mktemp("web-stack")
    # Models of the tests' own may be used, and results are kept for a day.
    more = {"MODELS_ALLOWED": "catalogue,tests/*", "ARTIFACTS_KEPT": "86400"}
    more["ALLOWED_ORIGINS"] = elsewhere
    with stack_of_its_own(postgres, broker, migrated, folder, more) as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A REST caller of the edge."""
    async with caller(stack) as client:
        yield client


@pytest.fixture(scope="session")
def _packages() -> None:
    """axe-core, from the page's own packages. Workers of pytest come here at once."""
    lock = ROOT / ".run/web-install.lock"
    lock.parent.mkdir(mode=0o700, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        subprocess.run([ROOT / "tools/web", "install"], check=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(_packages: None) -> AsyncIterator[Browser]:
    """The Chromium of the machine, or Debian's, driven by Playwright."""
    found = await asyncio.to_thread(find, browser_folder(), print)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.program,
            env=found.environment,
            # Tests may run as root, where there is no sandbox.
            args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"],
        )
        yield browser
        await browser.close()


@pytest.fixture
def troubles(stack: Stack) -> Iterator[Troubles]:
    """What goes wrong in this test's tabs. What it does not `expect` fails it at the end."""
    noted = Troubles(stack.edge_url)
    yield noted
    assert not noted.unexpected, "\n".join(noted.unexpected)


@pytest_asyncio.fixture(loop_scope="session")
async def open_tab(chromium: Browser, stack: Stack, troubles: Troubles) -> AsyncIterator[OpenTab]:
    """Opens tabs with options of their own (Playwright's `new_context`), each a new visitor's."""
    async with AsyncExitStack() as tabs:

        async def open_one(**options: Any) -> Page:
            opened = tab(chromium, stack.edge_url, troubles, **options)
            return await tabs.enter_async_context(opened)

        yield open_one


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_tab: OpenTab) -> Page:
    """A light desktop."""
    return await open_tab(color_scheme="light")


@pytest_asyncio.fixture(loop_scope="session")
async def dark(open_tab: OpenTab) -> Page:
    """A dark desktop."""
    return await open_tab(color_scheme="dark")


@pytest_asyncio.fixture(loop_scope="session")
async def phone(open_tab: OpenTab) -> Page:
    """A light phone."""
    return await open_tab(color_scheme="light", **PHONE)
