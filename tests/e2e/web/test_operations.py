"""Does the page for operators say what is going on, how it went, and do what it is told?"""

from __future__ import annotations

import re

import httpx
import pytest
from playwright.async_api import Page, expect

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, SMALL, finished, generate, set_fault
from tests.e2e.web.browsing import axe, shoot
from tests.e2e.workers import calls

pytestmark = pytest.mark.asyncio(loop_scope="session")
# One that no other test of the page uses: its dead letters are these tests'.
OURS = "ideogram-ai/ideogram-v3-turbo"


async def given_up(stack: Stack, http: httpx.AsyncClient, prompt: str, fault: str) -> str:
    """A job that has failed at its first call; "403" costs nothing, "output_none" does."""
    name, arg = ("status", "403") if fault == "403" else (fault, "")
    await set_fault(stack, prompt, name, count=1, **({"arg": arg} if arg else {}))
    job = await finished(http, (await generate(http, prompt, model=OURS))["job_id"])
    assert job["state"] == "STATE_FAILED", job
    return str(job["job_id"])


async def test_what_goes_on_is_counted(page: Page, stack: Stack, http: httpx.AsyncClient) -> None:
    """Jobs that run and that ended, the worker, the provider, the parts: by themselves, anew."""
    await finished(http, (await generate(http, "counted", model=FLUX, input=SMALL))["job_id"])
    await page.goto("/operations")
    now = page.get_by_role("region", name="Now", exact=True)
    await expect(now).to_contain_text("of 200 slots")
    await expect(page.get_by_role("region", name="Workers", exact=True)).to_contain_text("of 200")
    await expect(page.get_by_role("region", name="Provider", exact=True)).to_contain_text("Open")
    await expect(page.get_by_role("region", name="Health")).to_contain_text("Takes jobs")
    await expect(page.get_by_role("region", name="Health")).to_contain_text("1 worker, ")
    models = page.get_by_role("region", name="Models in the last hour")
    await expect(models.get_by_role("row", name=FLUX)).to_be_visible()
    await set_fault(stack, "runs for a while", "run", arg="300")
    made = await generate(http, "runs for a while", model=FLUX, input=SMALL)
    running = now.get_by_role("definition").filter(has_text=re.compile(r"^1$"))
    await expect(running).to_be_visible()
    await http.post(f"/api/v1/jobs/{made['job_id']}:cancel", json={})
    await finished(http, made["job_id"])


async def test_charts_are_read_by_keys_and_as_tables(page: Page, http: httpx.AsyncClient) -> None:
    """The arrows go from step to step, in words; a table has the same numbers."""
    await finished(http, (await generate(http, "charted", model=FLUX, input=SMALL))["job_id"])
    await page.goto("/operations")
    chart = page.get_by_role("region", name="Jobs that ended")
    slider = chart.get_by_role("slider", name="Jobs that ended, moment")
    await slider.focus()
    await page.keyboard.press("End")
    last = await slider.get_attribute("aria-valuenow")
    await page.keyboard.press("ArrowLeft")
    await expect(slider).to_have_attribute("aria-valuenow", str(int(last or 0) - 1))
    words = re.compile(r"Completed \d+, Failed \d+, Canceled \d+$")
    await expect(slider).to_have_attribute("aria-valuetext", words)
    await chart.get_by_role("button", name="Jobs that ended as a table").click()
    rows = chart.get_by_role("row")
    await expect(rows).to_have_count(61)
    completed = await rows.locator("td:nth-child(2)").all_inner_texts()
    assert sum(map(int, completed)) >= 1
    await axe(page)


async def test_the_window_is_chosen_and_kept_in_the_url(page: Page) -> None:
    """How far back is part of the address; the usual one is left out of it."""
    await page.goto("/operations")
    await page.get_by_role("radio", name="24 h").click()
    await expect(page).to_have_url(re.compile(r"\?window=24h$"))
    await page.reload()
    heading = page.get_by_role("heading", name="What happened in the last 24 hours")
    await expect(heading).to_be_visible()
    await page.get_by_role("radio", name="1 h").click()
    await expect(page).to_have_url(re.compile("/operations$"))


async def test_it_asks_only_while_it_is_looked_at(page: Page) -> None:
    """Every few seconds one call of each kind, and none while the tab is hidden."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    async with page.expect_request(re.compile("GetOverview")):
        await page.goto("/operations")
    async with page.expect_request(re.compile("GetOverview")):
        pass
    hide = """() => {
        Object.defineProperty(document, "visibilityState", {get: () => "hidden"});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    await page.evaluate(hide)
    await page.wait_for_timeout(1000)
    asked.clear()
    await page.wait_for_timeout(7000)
    assert not {"GetOverview", "GetStatistics", "GetHealth", "ListDeadLetters"} & set(asked)


async def test_dead_letters_are_made_again_or_discarded(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """What it would mean is asked first; what may be paid for twice only if that is said."""
    free = await given_up(stack, http, "free to make again", "403")
    paid = await given_up(stack, http, "paid for without a result", "output_none")
    await page.goto(f"/operations?model={OURS}")
    letters = page.get_by_role("region", name="Dead letters")
    await expect(letters.get_by_role("row")).to_have_count(3)
    await letters.get_by_role("button", name=f"Details of {paid}").click()
    details = page.get_by_role("dialog", name="No output")
    await expect(details).to_contain_text("Charged. The model succeeded.")
    await axe(page)
    await page.keyboard.press("Escape")
    await letters.get_by_role("checkbox", name="Choose all that are shown").click()
    await letters.get_by_role("button", name="Make again…").click()
    dialog = page.get_by_role("dialog", name="Make 2 jobs again?")
    await expect(dialog).to_contain_text("1 may be paid for twice")
    await axe(page)
    await shoot(page, "redrive-light")
    assert len(calls(stack, "paid for without a result")) == 1, "it was only asked"
    await dialog.get_by_role("button", name="Make 1 job again").click()
    await expect(dialog.get_by_role("status")).to_have_text("1 of 1 made again.")
    await dialog.get_by_role("button", name="Close").first.click()
    await expect(letters.get_by_role("row")).to_have_count(2)
    redriven = (await http.get(f"/api/v1/status/{free}")).json()["redriven_as"]
    assert (await finished(http, redriven))["state"] == "STATE_COMPLETED"
    assert len(calls(stack, "paid for without a result")) == 1

    await letters.get_by_role("checkbox", name=f"Choose {paid}").click()
    await letters.get_by_role("button", name="Make again…").click()
    await page.get_by_role("checkbox", name="Make them again, and pay again if need be").click()
    await page.get_by_role("button", name="Make 1 job again").click()
    await expect(page.get_by_role("dialog").get_by_role("status")).to_have_text(
        "1 of 1 made again."
    )
    await page.keyboard.press("Escape")
    await expect(letters).to_contain_text("There are none of these.")
    again = (await http.get(f"/api/v1/status/{paid}")).json()["redriven_as"]
    await finished(http, again)
    assert len(calls(stack, "paid for without a result")) == 2

    last = await given_up(stack, http, "not worth it", "403")
    await letters.get_by_role("checkbox", name=f"Choose {last}").click()
    await letters.get_by_role("button", name="Discard…").click()
    await page.get_by_role("button", name="Discard 1 job").click()
    await page.keyboard.press("Escape")
    await letters.get_by_role("combobox", name="State").click()
    await page.get_by_role("option", name="Discarded").click()
    await expect(letters.get_by_role("row", name=re.compile(last))).to_contain_text("Discarded")
    await expect(page).to_have_url(re.compile("letters=discarded"))
