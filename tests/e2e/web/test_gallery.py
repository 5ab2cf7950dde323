"""Does the gallery show every job as it is, however many there are, and let one act on them?"""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, SMALL, Json, completed, finished, generate, set_fault
from tests.e2e.web.browsing import axe, shoot, until
from tests.e2e.web.conftest import OpenTab
from tests.e2e.web.many_jobs import copies

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Two screens, and three rows beyond it on either side.
MOST_CARDS = 70
# A step is taken when the last one was drawn, however slow the machine is: two frames later.
SCROLL = """
async (step) => {
    const drawn = () => new Promise((resolve) =>
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 30))));
    const seen = new Set();
    let most = 0;
    const shifts = [];
    const observer = new PerformanceObserver((list) => {
        for (const {value, sources} of list.getEntries())
            shifts.push({value, what: sources.map(({node}) => node?.outerHTML?.slice(0, 120))});
    });
    observer.observe({type: "layout-shift", buffered: true});
    for (let turn = 0; turn < 400; turn++) {
        const cards = document.querySelectorAll("[data-slot=job-card]");
        most = Math.max(most, cards.length);
        for (const card of cards) seen.add(card.dataset.jobId);
        if (document.body.innerText.includes("No older jobs.")) {
            if (scrollY + innerHeight >= document.documentElement.scrollHeight - 2) break;
        }
        scrollBy(0, step);
        await drawn();
    }
    return {seen: [...seen], most, shifts};
}
"""


def cards(page: Page, text: str = "") -> Locator:
    """The cards, or those whose prompt has this text."""
    found = page.locator("[data-slot=job-card]")
    return found.filter(has_text=text) if text else found


async def painted(http: httpx.AsyncClient, prompt: str, ratio: str = "1:1", **more: object) -> Json:
    """A small picture that is done."""
    return await completed(http, prompt, **small(ratio), **more)


def small(ratio: str) -> Json:
    """What to add to a submit."""
    return {"model": FLUX, "input": {**SMALL, "aspect_ratio": ratio}}


async def test_a_thousand_jobs_scroll_with_few_cards(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """All of them come as one scrolls, at no moment more cards than a few screens have, and nothing
    that was there moves by itself."""
    ratios = ("1:1", "16:9", "9:16", "4:3")
    asked = [painted(http, f"a crowd of pictures {ratio}", ratio) for ratio in ratios]
    jobs = [job["job_id"] for job in await asyncio.gather(*asked)]
    async with copies(stack, jobs, 1000) as made:
        await page.goto("/gallery?q=crowd")
        await expect(cards(page).first).to_be_visible()
        told = await page.evaluate(SCROLL, 1200)
        assert set(told["seen"]) == {*made, *jobs}
        assert told["most"] <= MOST_CARDS
        shifted = sum(shift["value"] for shift in told["shifts"])
        assert shifted < 0.01, "\n".join(map(str, told["shifts"]))
        pictures = cards(page).locator("img")
        assert await pictures.count() == await cards(page).count()
        await shoot(page, "gallery-thousand-light")
        await page.close()  # it would miss the copies' pictures


async def test_a_job_lives_in_its_card_without_reload(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """It comes by itself, with stage, percent and time, in the shape that its picture will have."""
    prompt = "a harbour to come alive"
    await set_fault(stack, prompt, "run", arg="8")
    await page.goto("/gallery")
    await expect(page.get_by_role("button", name="Connection: Live")).to_be_visible()
    job = await generate(http, prompt, **small("16:9"))
    card = cards(page, prompt)
    await expect(card.get_by_role("progressbar", name="Processing")).to_be_visible()
    await expect(card.get_by_text(re.compile(r"^\d+%$"))).to_be_visible()
    await expect(card.get_by_text(re.compile(r"^0:\d\d$"))).to_be_visible()
    before = await card.bounding_box()
    await axe(page)
    await shoot(page, "gallery-running-light")
    await finished(http, job["job_id"])
    await expect(card.locator("img")).to_be_visible()
    after = await card.bounding_box()
    assert before is not None
    assert after is not None
    assert (after["width"], after["height"]) == (before["width"], before["height"])


async def test_a_failed_job_says_so_and_is_made_again(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Each attempt is counted; at the end it says what happened, that it cost nothing, and one more
    try is one click."""
    prompt = "a bridge that fails at first"
    await set_fault(stack, prompt, "fail", arg="PA", count=4)
    job = await generate(http, prompt, **small("4:3"))
    await page.goto(f"/gallery?q={prompt.replace(' ', '+')}")
    card = cards(page)
    await expect(card.get_by_text("Attempt 2")).to_be_visible(timeout=60_000)
    await finished(http, job["job_id"], 120)
    await expect(card.get_by_text("The provider interrupted the run.")).to_be_visible()
    await expect(card.get_by_text("Not charged")).to_be_visible()
    await axe(page)
    await card.get_by_role("button", name="Retry").click()
    await expect(card).to_have_count(2)
    await expect(card.first.locator("img")).to_be_visible(timeout=60_000)
    await expect(card.last.get_by_text("Not charged")).to_be_visible()


async def test_a_cancel_says_whether_it_may_cost(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Asked for by key, told before it is done, and seen when it has happened."""
    prompt = "a tower that nobody needs"
    await set_fault(stack, prompt, "processing_forever")
    await page.goto("/gallery?q=nobody+needs")
    await generate(http, prompt, **small("1:1"))
    card = cards(page)
    await expect(card.get_by_role("progressbar", name="Processing")).to_be_visible(timeout=40_000)
    await card.get_by_role("link").focus()
    await page.keyboard.press("Delete")
    dialog = page.get_by_role("dialog", name="Cancel this job?")
    await expect(dialog).to_contain_text("may be charged")
    await axe(page)
    await shoot(page, "gallery-cancel-light")
    await dialog.get_by_role("button", name="Cancel the job").click()
    await expect(card.get_by_text(re.compile("^Canceled\\."))).to_be_visible(timeout=40_000)


async def test_filters_and_search_live_in_the_url(page: Page, http: httpx.AsyncClient) -> None:
    """Whoever is sent the URL sees the same, a reload too; going back takes them away."""
    await painted(http, "a meadow for the films", labels={"team": "films"})
    await painted(http, "a meadow for the games", labels={"team": "games"})
    await page.goto("/gallery")
    await expect(page.get_by_role("searchbox")).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("MEADOW")
    await expect(page).to_have_url(re.compile("q=MEADOW"))
    await expect(page.get_by_role("searchbox")).to_be_focused()
    await expect(cards(page)).to_have_count(2)
    await page.get_by_role("button", name="Filters").click()
    await page.get_by_label("Label").fill("team=films")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Completed").click()
    await expect(page).to_have_url(re.compile("state=completed"))
    await expect(cards(page)).to_have_count(1)
    await page.reload()
    await expect(cards(page, "for the films")).to_have_count(1)
    await expect(page.get_by_role("button", name="Completed")).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.get_by_role("button", name="Failed").click()
    await page.get_by_role("button", name="Completed").click()
    await expect(page.get_by_role("heading", name="No job matches")).to_be_visible()
    await axe(page)
    await page.get_by_role("button", name="Show everything").click()
    await expect(page).to_have_url(re.compile("/gallery$"))


async def test_the_keys_go_among_the_cards(page: Page, http: httpx.AsyncClient) -> None:
    """Arrows go, Space and x select, Shift selects on, Escape lets go, Enter opens."""
    for number in range(4):
        await painted(http, f"a pebble {number}")
    await page.goto("/gallery?q=pebble")
    links = cards(page).get_by_role("link")
    await expect(links).to_have_count(4)
    await links.first.focus()
    await page.keyboard.press("ArrowRight")
    await expect(links.nth(1)).to_be_focused()
    await page.keyboard.press("End")
    await expect(links.last).to_be_focused()
    await page.keyboard.press("Home")
    bar = page.get_by_role("toolbar", name="Selected jobs")
    await page.keyboard.press("Space")
    await expect(bar).to_contain_text("1 selected")
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("Shift+ArrowRight")
    await expect(bar).to_contain_text("3 selected")
    await axe(page)
    await shoot(page, "gallery-selected-light")
    await page.keyboard.press("x")
    await expect(bar).to_contain_text("2 selected")
    await page.keyboard.press("Escape")
    await expect(bar).to_have_count(0)
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Select the card")
    await page.keyboard.press("Escape")
    await links.nth(2).focus()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/jobs/"))


async def test_many_are_selected_and_taken_home(open_tab: OpenTab, http: httpx.AsyncClient) -> None:
    """By click, by range, all; their links are copied and their files downloaded."""
    jobs = [await painted(http, f"a shell {number}") for number in range(3)]
    page = await open_tab(permissions=["clipboard-read", "clipboard-write"], accept_downloads=True)
    await page.goto("/gallery?q=shell")
    await expect(cards(page)).to_have_count(3)
    await cards(page).first.hover()
    await cards(page).first.get_by_role("checkbox").click()
    await cards(page).last.get_by_role("link").click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Selected jobs")
    await expect(bar).to_contain_text("3 selected")
    await bar.get_by_role("button", name="Copy links").click()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert sorted(link.rpartition("/")[2] for link in copied.splitlines()) == sorted(
        job["job_id"] for job in jobs
    )
    names = []
    page.on("download", lambda download: names.append(download.suggested_filename))
    await bar.get_by_role("button", name="Download").click()
    async with asyncio.timeout(20):
        while len(names) < 3:
            await page.wait_for_timeout(100)
    assert len(set(names)) == 3


async def test_many_are_canceled_at_once(page: Page, stack: Stack, http: httpx.AsyncClient) -> None:
    """After it was said for how many of them that may cost; whatever has ended stays as it is."""
    await set_fault(stack, "a queue of lamps", "processing_forever")
    for number in range(3):
        await generate(http, f"a queue of lamps {number}", **small("1:1"))
    await painted(http, "a lamp of the queue of before")
    await page.goto("/gallery?q=lamp")
    for number in range(3):
        running = cards(page, f"lamps {number}").get_by_role("progressbar", name="Processing")
        await expect(running).to_be_visible(timeout=40_000)
    await cards(page).first.get_by_role("link").focus()
    await page.keyboard.press("Control+a")
    bar = page.get_by_role("toolbar", name="Selected jobs")
    await expect(bar).to_contain_text("4 selected")
    await bar.get_by_role("button", name="Cancel jobs").click()
    dialog = page.get_by_role("dialog", name="Cancel 3 jobs?")
    await expect(dialog).to_contain_text("3 sent to the provider")
    await expect(dialog).to_contain_text("may be charged")
    await axe(page)
    await shoot(page, "gallery-cancel-many-light")
    await dialog.get_by_role("button", name="Cancel 3 jobs").click()
    for number in range(3):
        ended = cards(page, f"lamps {number}").get_by_text(re.compile("^Canceled\\."))
        await expect(ended).to_be_visible(timeout=40_000)
    await expect(cards(page, "of before").locator("img")).to_be_visible()


async def test_new_jobs_wait_while_one_looks_at_older_ones(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Nothing moves; a button says how many there are, and leads to them."""
    job = await painted(http, "a tide that brings more")
    async with copies(stack, [job["job_id"]], 40):
        await page.goto("/gallery?q=tide")
        await expect(page.get_by_role("button", name="Connection: Live")).to_be_visible()
        await expect(cards(page).first.locator("img")).to_be_visible()
        await page.mouse.move(700, 500)
        await page.mouse.wheel(0, 900)
        await until(page, "scrollY > 300")
        seen = page.locator("[data-slot=job-card]").nth(8)
        at = await seen.bounding_box()
        await painted(http, "a tide of today")
        await expect(page.get_by_role("button", name="1 new job", exact=True)).to_be_visible()
        await painted(http, "a tide of today too")
        more = page.get_by_role("button", name="2 new jobs")
        await expect(more).to_be_visible()
        assert await seen.bounding_box() == at
        await expect(cards(page, "of today")).to_have_count(0)
        await axe(page)
        await shoot(page, "gallery-new-jobs-light")
        await more.click()
        await expect(cards(page, "of today")).to_have_count(2)
        await until(page, "scrollY === 0")
        await expect(more).to_have_count(0)
        await page.close()  # it would miss the copies' pictures


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
async def test_it_can_be_seen_by_everybody(
    look: str, open_tab: OpenTab, phone: Page, http: httpx.AsyncClient
) -> None:
    """No machine-checkable rule of WCAG is broken in light, in dark and on a phone."""
    for ratio in ("16:9", "1:1", "9:16"):
        await painted(http, f"a {look} view {ratio}", ratio)
    page = phone if look == "phone" else await open_tab(color_scheme=look)
    await page.goto("/gallery")
    await expect(cards(page, f"a {look} view").first.locator("img")).to_be_visible()
    await expect(page.get_by_role("button", name="Connection: Live")).to_be_visible()
    await axe(page)
    wider = "document.documentElement.scrollWidth > innerWidth"
    assert not await page.evaluate(wider)
    await shoot(page, f"gallery-{look}")
