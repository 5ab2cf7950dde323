"""Can somebody say what to make, by any means, see it become a picture, and go on meanwhile?"""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest
from playwright.async_api import Locator, Page, Route, expect

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, SMALL, Json, finished, generate, set_fault
from tests.e2e.web.browsing import PHONE, Troubles, axe, shoot
from tests.e2e.web.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="session")
DEV = "black-forest-labs/flux-dev"
EDITOR = "black-forest-labs/flux-kontext-pro"
SPEECH = "minimax/speech-02-turbo"
SUBMIT_CALL = "**/mediagen.v1.GenerationService/SubmitJob"


def prompt_of(page: Page, name: str = "Prompt") -> Locator:
    """The text that says what to make."""
    return page.get_by_role("textbox", name=name, exact=True)


def card(page: Page, text: str) -> Locator:
    """The card of a job, by its prompt."""
    return page.locator("[data-slot=job-card]").filter(has_text=text)


async def choose_model(page: Page, search: str) -> None:
    """The one that the search finds."""
    await page.get_by_role("button", name=re.compile("^Model:")).click()
    await page.get_by_role("combobox", name="Search models").fill(search)
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Enter")


async def jobs_with(http: httpx.AsyncClient, prompt: str) -> list[Json]:
    """All jobs with this in their prompt, newest first."""
    answer = await http.get("/api/v1/jobs", params={"prompt_contains": prompt})
    jobs: list[Json] = answer.json().get("jobs", [])
    return jobs


async def test_a_prompt_becomes_a_picture_before_the_eyes(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Submitted by a key, its progress moves by itself; the form stays as it was."""
    prompt = "a lighthouse to watch"
    await set_fault(stack, prompt, "run", arg="40")
    await page.goto(f"/?model={FLUX}")
    await prompt_of(page).fill(prompt)
    await page.get_by_role("radio", name="16:9").check()
    await page.keyboard.press("Control+Enter")
    made = card(page, prompt)
    progress = made.get_by_role("progressbar", name="Processing")
    await expect(progress).to_have_text(re.compile("25%|50%|75%"), timeout=40_000)
    await axe(page)
    await expect(prompt_of(page)).to_have_value(prompt)
    await expect(made.locator("img")).to_be_visible(timeout=60_000)
    [job] = await jobs_with(http, prompt)
    assert job["request"]["model"] == FLUX
    assert job["request"]["input"] == {"aspect_ratio": "16:9"}
    await shoot(page, "create-light")


async def test_nothing_waits_for_a_job(page: Page, stack: Stack, http: httpx.AsyncClient) -> None:
    """The next one is asked for at once: each press of the key is a job of its own."""
    await set_fault(stack, "three of them", "run", arg="20", count=3)
    await page.goto(f"/?model={FLUX}")
    await prompt_of(page).fill("three of them")
    for _ in range(3):
        await page.keyboard.press("Control+Enter")
    await expect(card(page, "three of them")).to_have_count(3)
    jobs = await jobs_with(http, "three of them")
    assert len({job["request"]["request_id"] for job in jobs}) == 3


async def test_everything_is_done_by_keys(page: Page, http: httpx.AsyncClient) -> None:
    """The model is searched and chosen, the text written, a shape picked, the job asked for."""
    await page.goto("/")
    await expect(prompt_of(page)).to_be_visible()
    await page.keyboard.press("m")
    search = page.get_by_role("combobox", name="Search models")
    await expect(search).to_be_focused()
    await expect(page.get_by_role("option").first).to_be_visible()
    await axe(page)
    await page.keyboard.type("flux dev")
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("model=black-forest-labs%2Fflux-dev"))
    await expect(page.get_by_role("button", name="Model: flux-dev")).to_be_focused()
    await expect(prompt_of(page)).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(prompt_of(page)).to_be_focused()
    await page.keyboard.type("by keys alone")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(page.get_by_role("radio", name="1:1")).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Control+Enter")
    await expect(card(page, "by keys alone")).to_be_visible()
    [job] = await jobs_with(http, "by keys alone")
    assert job["request"]["model"] == DEV
    assert job["request"]["input"] == {"aspect_ratio": "16:9"}


async def test_what_the_service_refuses_is_told_at_the_fields(page: Page) -> None:
    """All at once, at fields that are opened for it, the first of them with the focus."""
    await page.goto(f"/?model={DEV}")
    await prompt_of(page).fill("refused at first")
    await page.get_by_role("button", name=re.compile("^More")).click()
    await page.get_by_role("spinbutton", name="Guidance").fill("99")
    await page.get_by_role("spinbutton", name="Output quality").fill("101")
    await page.get_by_role("button", name=re.compile("^More")).click()
    await page.keyboard.press("Control+Enter")
    wrong = page.get_by_role("alert", name="What is wrong with the request")
    await expect(wrong).to_contain_text("2 things need another look")
    guidance = page.get_by_role("spinbutton", name="Guidance")
    await expect(guidance).to_be_focused()
    await expect(guidance).to_have_accessible_description(re.compile("10"))
    await axe(page)
    await shoot(page, "create-refused-light")
    await guidance.fill("3")
    await expect(wrong).to_contain_text("One thing needs another look")
    await wrong.get_by_role("button", name=re.compile("^Output quality")).click()
    quality = page.get_by_role("spinbutton", name="Output quality")
    await expect(quality).to_be_focused()
    await quality.fill("80")
    await page.keyboard.press("Control+Enter")
    await expect(wrong).to_have_count(0)
    await expect(card(page, "refused at first")).to_be_visible()


async def test_what_is_folded_is_seen_once_it_opens(page: Page, phone: Page) -> None:
    """It comes out from beneath the button that stays in place, with its title still in sight."""
    await page.set_viewport_size({"width": 1280, "height": 850})
    for tab in (page, phone):
        await tab.goto(f"/?model={FLUX}")
        more = tab.get_by_role("button", name=re.compile("^More"))
        await more.click()
        steps = tab.get_by_role("spinbutton", name="Number of inference steps")
        await expect(steps).to_be_in_viewport()
        bar = tab.get_by_role("banner")
        generate_button = tab.get_by_role("button", name=re.compile("^Generate"))
        await until_clear(tab, bar, [more, steps], generate_button)


async def until_clear(tab: Page, above: Locator, between: list[Locator], below: Locator) -> None:
    """Waits for these to lie below the one, and above the other."""

    async def edges(what: Locator) -> tuple[float, float]:
        box = await what.bounding_box()
        assert box is not None
        return box["y"], box["y"] + box["height"]

    async with asyncio.timeout(20):
        while True:
            top, bottom = (await edges(above))[1], (await edges(below))[0]
            found = [await edges(each) for each in between]
            if all(top <= start and end <= bottom for start, end in found):
                return
            await asyncio.sleep(0.1)


async def test_a_model_that_is_not_here_leads_to_one_that_is(page: Page) -> None:
    """Mistyped in a link: the one that may be meant is a press away, and so are the others."""
    await page.goto("/?model=black-forest-labs/flux-schnel")
    told = page.get_by_role("alert").filter(has_text="is not a model that may be used here.")
    await expect(told).to_be_visible()
    await axe(page)
    await told.get_by_role("button", name="No, show me all").click()
    await expect(page.get_by_role("dialog", name="Choose a model")).to_be_visible()
    await page.keyboard.press("Escape")
    await told.get_by_role("button", name=FLUX).click()
    await expect(page).to_have_url(re.compile("model=black-forest-labs%2Fflux-schnell$"))
    await expect(prompt_of(page)).to_be_visible()


async def test_what_was_typed_survives_a_reload(page: Page) -> None:
    """Text, choices and options, of each model its own; the model that was used last comes back."""
    await page.goto(f"/?model={FLUX}")
    await prompt_of(page).fill("not sent yet")
    await page.get_by_role("radio", name="9:16").check()
    await page.get_by_role("button", name="Job options").click()
    await page.get_by_role("textbox", name="Labels").fill("team=films")
    await page.reload()
    await expect(prompt_of(page)).to_have_value("not sent yet")
    await expect(page.get_by_role("radio", name="9:16")).to_be_checked()
    await page.get_by_role("button", name="Job options").click()
    await expect(page.get_by_role("textbox", name="Labels")).to_have_value("team=films")
    await page.goto("/")
    await expect(prompt_of(page)).to_have_value("not sent yet")


async def test_a_text_of_another_name_is_the_prompt(page: Page, http: httpx.AsyncClient) -> None:
    """A model that speaks takes a text; what was typed for another model is there already."""
    await page.goto(f"/?model={FLUX}")
    await prompt_of(page).fill("good evening to all")
    await choose_model(page, "speech")
    await expect(prompt_of(page, "Text")).to_have_value("good evening to all")
    async with page.expect_response(SUBMIT_CALL):
        await page.keyboard.press("Control+Enter")
    jobs = (await http.get("/api/v1/jobs", params={"model": SPEECH})).json()["jobs"]
    assert jobs[0]["request"]["input"] == {"text": "good evening to all"}


async def test_a_lost_answer_makes_no_second_job(
    page: Page, http: httpx.AsyncClient, troubles: Troubles
) -> None:
    """The service has it, and the page has not heard: asked again, it is the same job."""
    troubles.expect("Failed to load resource")
    lost = 0

    async def lose(route: Route) -> None:
        nonlocal lost
        lost += 1
        if lost == 1:
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    await page.route(SUBMIT_CALL, lose)
    await page.goto(f"/?model={FLUX}")
    await prompt_of(page).fill("heard but not answered")
    await page.keyboard.press("Control+Enter")
    await expect(card(page, "heard but not answered")).to_be_visible()
    await expect(page.locator("[data-slot=submission]")).to_have_count(0)
    assert lost == 2
    assert len(await jobs_with(http, "heard but not answered")) == 1


async def test_a_job_is_taken_up_again(page: Page, http: httpx.AsyncClient) -> None:
    """Remix fills the form as it was; the URL then is the form's own, and keeps what is changed."""
    given = {**SMALL, "num_outputs": 2, "seed": 7}
    made = await generate(http, "once more with care", model=FLUX, input=given)
    await finished(http, made["job_id"])
    await page.goto(f"/?remix={made['job_id']}")
    await expect(prompt_of(page)).to_have_value("once more with care")
    await expect(page).to_have_url(re.compile(r"\?model=black-forest-labs%2Fflux-schnell$"))
    await expect(page.get_by_role("spinbutton", name="Number of outputs")).to_have_value("2")
    await page.get_by_role("button", name=re.compile("^More")).click()
    await expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("7")
    await prompt_of(page).fill("changed since")
    await page.reload()
    await expect(prompt_of(page)).to_have_value("changed since")


async def test_a_result_becomes_an_input(page: Page, http: httpx.AsyncClient) -> None:
    """By its reference, with a thumbnail, for a model that takes a picture."""
    made = await generate(http, "to be edited", model=FLUX, input=SMALL)
    await finished(http, made["job_id"])
    await page.goto(f"/?model={EDITOR}&input=artifact:{made['job_id']}/0")
    field = page.get_by_role("group", name="Input image")
    await expect(field.get_by_text("Result 1 of a job")).to_be_visible()
    await expect(field.locator("img")).to_be_visible()
    await prompt_of(page).fill("the same at night")
    await page.keyboard.press("Control+Enter")
    await expect(card(page, "the same at night")).to_be_visible()
    [job] = await jobs_with(http, "the same at night")
    [file] = job["request"]["input_files"]
    assert file["sha256"] == (await finished(http, made["job_id"]))["artifacts"][0]["sha256"]


async def test_a_model_that_is_not_there_is_said_so(page: Page) -> None:
    """A URL may name anything: the page says what is wrong, and another model can be chosen."""
    await page.goto("/?model=nobody/nothing")
    await expect(page.get_by_role("alert")).to_be_visible()
    await choose_model(page, "schnell")
    await expect(prompt_of(page)).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
async def test_the_form_can_be_used_by_all(open_tab: OpenTab, look: str) -> None:
    """No rule of WCAG that a machine can check is broken, with everything unfolded."""
    more = PHONE if look == "phone" else {}
    page = await open_tab(color_scheme="dark" if look == "dark" else "light", **more)
    await page.goto(f"/?model={DEV}")
    await expect(prompt_of(page)).to_be_visible()
    await shoot(page, f"create-{look}")
    for name in ("More", "Job options"):
        await page.get_by_role("button", name=re.compile(f"^{name}")).click()
    await axe(page)
    await shoot(page, f"create-unfolded-{look}")
    await page.get_by_role("button", name=re.compile("^Model:")).click()
    await expect(page.get_by_role("option").first).to_be_visible()
    await axe(page)
    await shoot(page, f"models-{look}")
