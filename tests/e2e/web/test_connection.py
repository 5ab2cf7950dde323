"""Does the page say whether it is live, and is everything right when it is again?"""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from playwright.async_api import Locator, Page, Route, expect

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, SMALL, Json, finished, generate, set_fault
from tests.e2e.web.browsing import Troubles, axe, shoot

pytestmark = pytest.mark.asyncio(loop_scope="session")

STREAM = "**/mediagen.v1.GenerationService/WatchJobs"
ASKED_FOR = {"model": FLUX, "input": SMALL}
# What a browser writes down of a request that failed.
NETWORK = r"Failed to load resource|net::ERR"


def state(page: Page, name: str) -> Locator:
    """The word in the top bar."""
    return page.get_by_role("button", name=f"Connection: {name}")


def card(page: Page, prompt: str) -> Locator:
    """The job's card."""
    return page.locator("[data-slot=job-card]").filter(has_text=prompt)


async def running(page: Page, stack: Stack, http: httpx.AsyncClient, prompt: str) -> Json:
    """A job that the page shows in its run, which lasts a few seconds more."""
    await set_fault(stack, prompt, "run", arg="10")
    job = await generate(http, prompt, **ASKED_FOR)
    progress = card(page, prompt).get_by_role("progressbar", name="Processing")
    await expect(progress).to_be_visible(timeout=40_000)
    return job


async def test_a_gateway_killed_in_mid_run_is_overcome(
    page: Page, stack: Stack, http: httpx.AsyncClient, troubles: Troubles
) -> None:
    """The job ends in the page as it does in the store, without a reload."""
    troubles.expect(NETWORK)
    await page.goto("/gallery")
    await expect(state(page, "Live")).to_be_visible()
    await running(page, stack, http, "a killed gateway")
    await asyncio.to_thread(stack.kill, "gateway-1")
    await asyncio.to_thread(stack.wait_ready, "gateway-1")
    await expect(state(page, "Live")).to_be_visible(timeout=60_000)
    picture = card(page, "a killed gateway").locator("img")
    await expect(picture).to_be_visible(timeout=60_000)


async def test_an_outage_is_said_and_then_made_good(
    page: Page, stack: Stack, http: httpx.AsyncClient, troubles: Troubles
) -> None:
    """What happened while the page was away is there when it is back: what ended, what came."""
    troubles.expect(NETWORK)
    await page.goto("/gallery?q=outage")
    await expect(state(page, "Live")).to_be_visible()
    job = await running(page, stack, http, "an outage begins")
    await asyncio.to_thread(stack.kill, "edge", restart=False)
    await expect(state(page, "Reconnecting")).to_be_visible(timeout=30_000)
    await state(page, "Reconnecting").click()
    await expect(page.get_by_text("Jobs go on meanwhile")).to_be_visible()
    await axe(page)
    await shoot(page, "connection-reconnecting-light")
    await page.keyboard.press("Escape")
    await asyncio.to_thread(stack.start, "edge")
    later = await generate(http, "an outage is over", **ASKED_FOR)
    for each in (job, later):
        await finished(http, each["job_id"])
    await expect(state(page, "Live")).to_be_visible(timeout=60_000)
    for prompt in ("an outage begins", "an outage is over"):
        await expect(card(page, prompt).locator("img")).to_be_visible()


async def test_a_blocked_stream_is_polled_around(
    page: Page, stack: Stack, http: httpx.AsyncClient, troubles: Troubles
) -> None:
    """Where no stream comes through, the page works, says so, and goes live by itself once one
    does."""
    troubles.expect(NETWORK)

    async def block(route: Route) -> None:
        await route.abort()

    await page.route(STREAM, block)
    await page.goto("/gallery")
    await expect(state(page, "Stale")).to_be_visible(timeout=30_000)
    job = await running(page, stack, http, "a stream behind a wall")
    await shoot(page, "connection-stale-light")
    await finished(http, job["job_id"])
    picture = card(page, "a stream behind a wall").locator("img")
    await expect(picture).to_be_visible(timeout=30_000)
    await expect(state(page, "Stale")).to_be_visible()
    await page.unroute(STREAM, block)
    await expect(state(page, "Live")).to_be_visible(timeout=60_000)


async def test_a_reload_in_mid_run_shows_the_run(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """The page keeps nothing that it could lose."""
    await page.goto("/gallery")
    job = await running(page, stack, http, "a reload on the way")
    await page.reload()
    made = card(page, "a reload on the way")
    await expect(made.get_by_role("progressbar")).to_be_visible()
    await expect(made.get_by_text(re.compile(r"^0:\d\d$"))).to_be_visible()
    await finished(http, job["job_id"])
    await expect(made.locator("img")).to_be_visible()


async def test_one_stream_serves_all_pages_of_a_tab(page: Page) -> None:
    """Going from page to page asks for no other."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto("/gallery")
    await expect(state(page, "Live")).to_be_visible()
    for name in ("Create", "Operations", "Gallery"):
        await page.get_by_role("link", name=name, exact=True).click()
        await expect(page).to_have_title(re.compile(name))
    assert len([url for url in asked if url.endswith("/WatchJobs")]) == 1
