"""Can the page live as a static site at another origin than the API's (VITE_API_URL)?"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from devstack.testing import Stack
from tests.e2e.web.browsing import Troubles, tab
from tests.e2e.web.conftest import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(scope="module")
def site(stack: Stack, _packages: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, built for an API at another origin, as somebody would put it on a web server."""
    folder = tmp_path_factory.mktemp("site")
    env = {**os.environ, "VITE_API_URL": stack.edge_url, "LOG": "error"}
    subprocess.run([ROOT / "tools/web", "build", folder], env=env, check=True, timeout=120)
    return folder


class _AsStatic(SimpleHTTPRequestHandler):
    """A web server that answers each path that is no file with the page."""

    def send_head(self) -> Any:
        if not Path(self.translate_path(self.path)).is_file():
            self.path = "/index.html"
        return super().send_head()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(site: Path, origin: str) -> Iterator[None]:
    """The folder at that origin."""
    handler = partial(_AsStatic, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", urlsplit(origin).port or 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield
        server.shutdown()
        thread.join(10)


async def test_a_static_site_elsewhere_makes_a_picture(
    chromium: Browser, stack: Stack, site: Path, elsewhere: str
) -> None:
    """Calls, the live stream and the pictures cross origins; nothing is asked of a third one."""
    troubles = Troubles(stack.edge_url)
    troubles.expect(f"outside request: {elsewhere}/")
    with served(site, elsewhere):
        async with tab(chromium, elsewhere, troubles) as page:
            await page.goto("/")
            await expect(page.get_by_text("Live", exact=True)).to_be_visible()
            await page.get_by_label("Prompt").fill("a lighthouse seen from elsewhere")
            await page.keyboard.press("Control+Enter")
            picture = page.get_by_role("main").locator("img[src*='/preview']").first
            await expect(picture).to_be_visible()
            assert await picture.evaluate("async (img) => { await img.decode(); return img.src; }")
            await page.goto("/gallery")
            await expect(page.locator("img[src*='/preview']").first).to_be_visible()
    assert not troubles.unexpected, "\n".join(troubles.unexpected)
