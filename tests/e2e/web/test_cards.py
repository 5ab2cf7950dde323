"""Are films and sounds shown in their cards as pictures are, and what is no longer there?"""

from __future__ import annotations

import re
from uuid import UUID

import asyncpg
import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, SMALL, Json, completed, finished, set_fault
from tests.e2e.web.browsing import PHONE, axe, shoot, until
from tests.e2e.web.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="session")
FILM = "bytedance/seedance-1-lite"
SPEECH = "minimax/speech-02-turbo"


def card(page: Page, text: str) -> Locator:
    """The card of a job, by what it is called."""
    return page.locator("[data-slot=job-card]").filter(has_text=text)


async def spoken(http: httpx.AsyncClient, text: str) -> Json:
    """A job of a model that takes no prompt."""
    answer = await http.post("/api/v1/generate", json={"model": SPEECH, "input": {"text": text}})
    job: Json = answer.raise_for_status().json()
    return job


async def test_a_film_plays_under_the_pointer(open_tab: OpenTab, http: httpx.AsyncClient) -> None:
    """Until then there is its poster, with its length; on its page it has a player."""
    prompt = "waves that come in for a film"
    job = await completed(http, prompt, model=FILM, input={"resolution": "480p"})
    page = await open_tab(reduced_motion="no-preference")
    await page.goto("/gallery?q=for+a+film")
    made = card(page, prompt)
    poster = made.get_by_role("img", name=prompt)
    await expect(poster).to_be_visible()
    assert await poster.evaluate("async (img) => { await img.decode(); return img.naturalWidth; }")
    await expect(made.get_by_text(re.compile(r"0:0\d$"))).to_be_visible()
    await shoot(page, "gallery-film-light")
    await made.get_by_role("link").hover()
    await until(page, "document.querySelector('[data-slot=job-card] video')?.currentTime > 0")
    await page.goto(f"/jobs/{job['job_id']}")
    await until(page, "document.querySelector('main video')?.readyState > 0")
    await axe(page)


async def test_a_sound_has_its_shape_from_the_first_moment(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """It is called by what it says, plays in its card, and its page speaks of no seed."""
    text = "A voice that is awaited in the evening"
    await set_fault(stack, text, "run", arg="10")
    await page.goto("/gallery")
    await expect(page.get_by_role("button", name="Connection: Live")).to_be_visible()
    job = await spoken(http, text)
    made = card(page, text)
    await expect(made.get_by_role("progressbar", name="Processing")).to_be_visible()
    before = await made.bounding_box()
    await finished(http, job["job_id"])
    play = made.get_by_role("button", name=f"Play: {text}")
    await expect(play).to_be_visible()
    after = await made.bounding_box()
    assert before is not None
    assert after is not None
    assert (after["width"], after["height"]) == (before["width"], before["height"])
    await axe(page)
    await play.click()
    await expect(made.get_by_role("button", name=f"Pause: {text}")).to_be_visible()
    await page.goto("/gallery?q=AWAITED+in+the")
    await made.get_by_role("link", name=f"{text}: Completed").click()
    await expect(page).to_have_title(re.compile(text))
    await expect(page.get_by_role("heading", level=1)).to_have_text(text)
    await until(page, "document.querySelector('main audio')?.readyState > 0")
    await expect(page.get_by_role("button", name="Run again")).to_be_visible()
    await expect(page.get_by_role("button", name="Rerun exactly")).to_have_count(0)
    await expect(page.get_by_role("region", name="Run", exact=True)).not_to_contain_text("Seed")
    await axe(page)


async def test_a_sound_fits_its_card_on_a_phone(open_tab: OpenTab, http: httpx.AsyncClient) -> None:
    """All that is drawn of it lies within the card."""
    text = "A small voice for a small screen"
    await finished(http, (await spoken(http, text))["job_id"])
    await completed(http, "A small screen as well", model=FLUX, input=SMALL)
    page = await open_tab(color_scheme="dark", **PHONE)
    await page.goto("/gallery?q=small+screen")
    made = card(page, text)
    await expect(made.get_by_role("button", name=f"Play: {text}")).to_be_visible()
    await shoot(page, "gallery-sound-phone")
    outside = """card => {
        const {left, right} = card.getBoundingClientRect();
        const bars = [...card.querySelectorAll("[aria-hidden] > span")]
            .map((bar) => bar.getBoundingClientRect()).filter(({width}) => width > 0);
        return [bars.length, bars.filter((bar) => bar.left < left || bar.right > right).length];
    }"""
    bars, cut = await made.evaluate(outside)
    assert bars >= 20
    assert cut == 0


async def test_what_was_kept_long_enough_is_said_to_be_gone(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """On its card and on its page, in words, with no picture that is broken, and no download."""
    prompt = "a picture that is no longer kept"
    job = await completed(http, prompt, model=FLUX, input=SMALL)
    await grow_old(stack, job["job_id"])
    await page.goto("/gallery?q=no+longer+kept")
    made = card(page, prompt)
    # The page is not told: what is deleted later is no news of the job.
    while not await made.get_by_text("Deleted: it was kept long enough").is_visible():
        await page.wait_for_timeout(500)
        await page.reload()
        await expect(made).to_be_visible()
    await expect(made.get_by_role("img")).to_have_count(0)
    await axe(page)
    await made.hover()
    await made.get_by_role("button", name=f"Actions: {prompt}").click()
    await expect(page.get_by_role("menuitem", name="Remix")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Download")).to_have_count(0)
    await page.keyboard.press("Escape")
    await page.goto(f"/jobs/{job['job_id']}")
    results = page.get_by_role("region", name="Results")
    await expect(results).to_contain_text("This result was deleted")
    await expect(results.get_by_role("img")).to_have_count(0)
    await expect(results.get_by_role("link", name="Download")).to_have_count(0)
    await expect(page.get_by_role("button", name="Use as input")).to_have_count(0)
    await axe(page)


async def grow_old(stack: Stack, job_id: str) -> None:
    """As if its results had been stored two days ago."""
    connection = await asyncpg.connect(stack.database_url.replace("+asyncpg", ""))
    try:
        await connection.execute(
            "UPDATE artifacts SET create_time = create_time - interval '2 days' WHERE job_id = $1",
            UUID(job_id),
        )
    finally:
        await connection.close()
