"""How do tests look at the page as a person would, and notice what no person would report?

A tab fails its test by a console error, a thrown error, anything that the page's policy refused, or
a request to another host than the edge.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page, Request, expect

AXE = Path(__file__).parents[3] / "web/node_modules/axe-core/axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
# Where screenshots go: a folder. Without it none is taken.
SCREENSHOTS = "SCREENSHOTS"
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass
class Troubles:
    """What went wrong in a tab so far, beside what a test expects."""

    origin: str
    seen: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Troubles like this are part of the test, from now on or before."""
        self.expected.append(re.compile(pattern))

    @property
    def unexpected(self) -> list[str]:
        """What fails the test."""
        return [each for each in self.seen if not any(one.search(each) for one in self.expected)]

    def watch(self, page: Page) -> None:
        """Notes what goes wrong in this tab."""
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.seen.append(f"thrown: {error}"))
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.seen.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.seen.append(f"outside request: {request.url}")


@asynccontextmanager
async def tab(
    browser: Browser, origin: str, troubles: Troubles, **options: Any
) -> AsyncIterator[Page]:
    """A tab of a new visitor; options as those of Playwright's `new_context`.

    Motion is reduced, unless they say otherwise: what is looked at then stands still.
    """
    given = {"base_url": origin, "reduced_motion": "reduce", **DESKTOP, **options}
    context = await browser.new_context(**given)
    context.set_default_timeout(PATIENCE_MS)
    try:
        page = await context.new_page()
        troubles.watch(page)
        yield page
    finally:
        await context.close()


async def until(page: Page, condition: str, *, seconds: float = 20) -> None:
    """Waits for an expression of the page's to hold. (Playwright's own wait uses eval, which the
    page's policy refuses.)"""
    async with asyncio.timeout(seconds):
        while not await page.evaluate(condition):
            await asyncio.sleep(0.05)


async def axe(page: Page, *, within: str = "body") -> None:
    """No rule of WCAG 2.2 A and AA that can be checked by machine is broken in what shows now."""
    # By the DevTools protocol: a script element of ours would break the page's policy.
    await page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = await page.evaluate(
        """async ([within, tags]) => {
            const options = {runOnly: tags, preload: false, resultTypes: ["violations"]};
            return (await axe.run(within, options)).violations;
        }""",
        [within, WCAG],
    )
    assert not found, "\n".join(_told(each) for each in found)


def _told(violation: dict[str, Any]) -> str:
    nodes = (f"    {node['html']}\n      {node['failureSummary']}" for node in violation["nodes"])
    return "\n".join([f"{violation['id']}: {violation['help']}", *nodes])


async def shoot(page: Page, name: str, *, full_page: bool = False) -> None:
    """A picture of the tab, as NAME.png in the folder that SCREENSHOTS names, if it does."""
    folder = os.environ.get(SCREENSHOTS)
    if folder:
        await page.screenshot(
            path=Path(folder, f"{name}.png"), full_page=full_page, animations="disabled"
        )
