"""Does every page look as it should: in the light, in the dark, on a phone?

With SCREENSHOTS=FOLDER each is kept as a picture, to be looked at and to stand in the README.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, SMALL, caller, finished, generate, set_fault
from tests.e2e.web.browsing import PHONE, axe, shoot
from tests.e2e.web.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="session")
SHOWN = "A lighthouse on a basalt cliff in a storm, long exposure, moody light, 35 mm film"
RUNNING = "A hot-air balloon over terraced rice fields at sunrise"
FAILED = "A ship in a bottle on a windowsill, macro"
OTHERS = (
    ("Rolling dunes under a crescent moon, deep blue hour", "16:9"),
    ("Portrait of an old clockmaker by a north window", "2:3"),
    ("Paper boats on a rainy street, reflections", "1:1"),
    ("A greenhouse full of ferns, diffuse light", "3:2"),
    ("Northern lights over a frozen lake", "21:9"),
    ("A tower of books in a quiet library", "9:16"),
    ("Fields of lavender from above, geometric", "4:3"),
    ("A kite surfer against a low sun", "4:5"),
)
DEVICES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", **PHONE},
}
Jobs = dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def jobs(stack: Stack) -> Jobs:
    """The ids of jobs worth looking at, by what there is to see."""
    await set_fault(stack, RUNNING, "run", arg="600", count=1)
    await set_fault(stack, FAILED, "status", arg="403", count=1)
    async with caller(stack) as http:
        shown = await generate(
            http, SHOWN, model=FLUX, input={"num_outputs": 4, "aspect_ratio": "16:9"},
            labels={"team": "films", "project": "lighthouse"},
        )  # fmt: skip
        made = [
            await generate(http, prompt, model=FLUX, input={**SMALL, "aspect_ratio": ratio})
            for prompt, ratio in OTHERS
        ]
        failed = await generate(http, FAILED, model=FLUX, input=SMALL)
        running = await generate(http, RUNNING, model=FLUX, input={**SMALL, "aspect_ratio": "3:2"})
        await asyncio.gather(*(finished(http, job["job_id"]) for job in (shown, *made, failed)))
    found = {"job": shown, "job-failed": failed, "job-running": running}
    return {name: str(job["job_id"]) for name, job in found.items()}


async def no_skeletons(page: Page) -> None:
    """Nothing that shows is still to come: neither places for it, nor pictures."""
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.locator("[data-slot=skeleton]")).to_have_count(0)
    seen = """() => [...document.images].every(({complete, naturalWidth, loading}) =>
        loading === "lazy" || (complete && naturalWidth > 0))"""
    await page.wait_for_function(seen)


async def _results(page: Page) -> None:
    await expect(page.get_by_role("region", name="Results")).to_be_visible()


async def _failure(page: Page) -> None:
    await expect(page.get_by_role("heading", name="Provider refused")).to_be_visible()


async def _progress(page: Page) -> None:
    await expect(page).to_have_title(re.compile("Processing"))


async def _numbers(page: Page) -> None:
    await expect(page.get_by_role("region", name="Health")).to_be_visible()
    await expect(page.get_by_role("region", name="Jobs that ended")).to_be_visible()


async def _cards(page: Page) -> None:
    await expect(page.get_by_role("img", name=OTHERS[-1][0]).first).to_be_visible()


READY: dict[str, Callable[[Page], Awaitable[None]]] = {
    "create": _cards,
    "gallery": _cards,
    "job": _results,
    "job-failed": _failure,
    "job-running": _progress,
    "operations": _numbers,
}
PATHS = {"create": "/", "gallery": "/gallery", "operations": "/operations"}


@pytest.mark.parametrize("device", DEVICES)
async def test_every_page_can_be_read(open_tab: OpenTab, jobs: Jobs, device: str) -> None:
    """Nothing is wider than the screen, and no rule of accessibility is broken."""
    page = await open_tab(**DEVICES[device])
    broken: list[str] = []
    size = page.viewport_size
    assert size is not None
    for name, is_ready in READY.items():
        await page.set_viewport_size(size)
        await page.goto(PATHS.get(name) or f"/jobs/{jobs[name]}")
        await is_ready(page)
        await no_skeletons(page)
        await shoot(page, f"{name}-{device}")
        if name in ("job", "operations"):
            await shoot(page, f"{name}-{device}-whole", full_page=True)
        if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            broken.append(f"{name} scrolls sideways")
        if name == "create":
            # The bar with the button stays in sight, over whatever is beneath it at the moment:
            # that is no fault of what is beneath.
            tall = await page.evaluate("document.documentElement.scrollHeight")
            await page.set_viewport_size({"width": size["width"], "height": tall})
        try:
            await axe(page)
        except AssertionError as violations:
            broken.append(f"{name}: {violations}")
    assert not broken, "\n".join(broken)
