"""Is one job told whole at its URL: while it runs, as it ended, and what can be done with it?"""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Locator, Page, expect

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, NO_JOB, SMALL, Json, finished, generate, set_fault
from tests.e2e.web.browsing import axe
from tests.e2e.web.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="session")
ROOT = Path(__file__).parents[3]
EDITOR = "black-forest-labs/flux-kontext-pro"
DEV = "black-forest-labs/flux-dev"
SPEAKER = "tests/speaker"
COMMANDS = ("curl", "buf curl", "Python")
STARS = "**********"
SECRET = "canary-of-the-page"  # pragma: allowlist secret
# What is asked for where it is no picture, and the suffix of what is made.
OTHER_KINDS: dict[str, tuple[str, Json]] = {
    "sound": ("mp3", {"model": "minimax/speech-02-turbo", "input": {"text": 'it\'s "all" $HOME'}}),
    "film": (
        "mp4",
        {"model": "bytedance/seedance-1-lite", "prompt": "a wave", "input": {"resolution": "480p"}},
    ),
    "secret": (
        "png",
        {"model": SPEAKER, "input": {"text": "a word that costs a key", "api_key": SECRET}},
    ),
}
# Quotes, what shells and Python expand, what terminals act on, what JSON escapes.
HOSTILE = (
    "it's a \"fox\" $(id) `id` ${HOME} \\n \\ !! %s 'a'\n\ttab "
    "\u202e\u6f22\u5b57 \U0001f469\u200d\U0001f680 \x1b[31m; echo 'x"
)


def part(page: Page, name: str) -> Locator:
    """A card, by its heading."""
    return page.get_by_role("region", name=name, exact=True)


async def add_speaker(stack: Stack) -> None:
    """A model that takes a secret and no prompt."""
    secret = {"format": "password", "x-cog-secret": True, "writeOnly": True, "required": True}
    inputs = {"api_key": secret, "text": {"required": True}}
    async with httpx.AsyncClient(trust_env=False) as simulator:
        url = f"{stack.simulator_url}/_simulator/models/{SPEAKER}"
        answer = await simulator.put(url, json={"inputs": inputs, "version": "ab" * 32})
        answer.raise_for_status()


async def job_of(page: Page, http: httpx.AsyncClient) -> Json:
    """The job whose page is open."""
    job: Json = (await http.get(f"/api/v1/status/{page.url.rpartition('/')[2]}")).json()
    return job


async def test_a_running_job_is_followed_to_its_results(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Stage and percent move by themselves, then come the results, and all that happened."""
    await set_fault(stack, "a job to follow", "run", arg="12")
    wanted = {**SMALL, "num_outputs": 2, "aspect_ratio": "16:9"}
    labels = {"team": "films"}
    made = await generate(http, "a job to follow", model=FLUX, input=wanted, labels=labels)
    await page.goto(f"/jobs/{made['job_id']}")
    await expect(page).to_have_title(re.compile("Processing: a job to follow"))
    progress = page.get_by_role("progressbar", name="Progress")
    await expect(progress).to_have_attribute("aria-valuenow", re.compile("25|50|75"))
    await expect(part(page, "Log")).to_contain_text("Using seed")
    await axe(page)
    results = part(page, "Results")
    await expect(results.get_by_role("img", name="a job to follow")).to_be_visible()
    await expect(page.get_by_role("main").get_by_text("Completed").first).to_be_visible()
    job = await finished(http, made["job_id"])
    happened = part(page, "What happened").get_by_role("listitem")
    for text in ("Accepted", "Attempt 1 begins", "Attempt 1: Succeeded", "Result 2 is stored"):
        await expect(happened.filter(has_text=text)).to_have_count(1)
    await expect(happened.last).to_contain_text("Completed")
    run = part(page, "Run")
    await expect(run).to_contain_text(str(job["attempts"][0]["seed"]))
    await expect(part(page, "Cost")).to_contain_text("about $0.006 (2 × $0.003 each)")
    await expect(part(page, "Inputs")).to_contain_text("megapixels0.25")
    await expect(part(page, "Labels").get_by_role("link")).to_have_attribute(
        "href", "/gallery?label=team%3Dfilms"
    )


async def test_what_happened_is_told_to_who_comes_later(
    page: Page, http: httpx.AsyncClient
) -> None:
    """Stages and the times of results are read from the revisions of a job that has ended."""
    made = await generate(http, "already over", model=FLUX, input=SMALL)
    await finished(http, made["job_id"])
    await page.goto(f"/jobs/{made['job_id']}")
    happened = part(page, "What happened").get_by_role("listitem")
    for text in ("Taken by a worker", "The results are being stored", "Result 1 is stored"):
        await expect(happened.filter(has_text=text).get_by_role("time")).to_have_count(1)


async def test_results_are_looked_at_one_by_one_and_large(
    page: Page, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """By the strip, on the whole screen by keys, every pixel of them; downloaded as they are."""
    made = await generate(http, "three to look at", model=FLUX, input={**SMALL, "num_outputs": 3})
    job = await finished(http, made["job_id"])
    await page.goto(f"/jobs/{made['job_id']}")
    results = part(page, "Results")
    await results.get_by_role("button", name="Result 2 of 3").click()
    await expect(results.get_by_text(job["artifacts"][1]["sha256"][:12])).to_be_visible()
    await page.keyboard.press("f")
    screen = page.get_by_role("dialog", name="three to look at")
    await expect(screen.get_by_text("2 of 3")).to_be_visible()
    await axe(page)
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(screen.get_by_text("1 of 3")).to_be_visible()
    picture = screen.get_by_role("img")
    await screen.get_by_role("button", name="Show every pixel").first.click()
    width = await picture.evaluate("picture => [picture.clientWidth, picture.naturalWidth]")
    assert width[0] == width[1] == job["artifacts"][0]["width"]
    await page.keyboard.press("Escape")
    await expect(screen).to_have_count(0)
    async with page.expect_download() as download:
        await results.get_by_role("link", name="Download").click()
    file = await download.value
    assert file.suggested_filename == f"{made['job_id']}-0.webp"
    saved = (tmp_path / "saved").resolve()
    await file.save_as(saved)
    assert len(await asyncio.to_thread(saved.read_bytes)) == job["artifacts"][0]["size_bytes"]


async def run_command(name: str, text: str, **variables: str) -> None:
    """Runs what the page shows, as whoever pastes it. variables: of the environment."""
    programs = {"Python": [str(ROOT / ".venv/bin/python"), "-"]}
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    child = await asyncio.create_subprocess_exec(
        *programs.get(name, ["sh", "-e"]),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "client"), **variables},
    )
    async with asyncio.timeout(60):
        output, _ = await child.communicate(text.encode())
    assert child.returncode == 0, output.decode()


async def test_the_commands_submit_the_same_job(
    open_tab: OpenTab, http: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pasted into a shell or run by Python, whatever stands in the prompt; the button copies it."""
    monkeypatch.chdir(tmp_path)  # where the Python puts the files
    page = await open_tab(permissions=["clipboard-read", "clipboard-write"])
    wanted = {"model": FLUX, "input": {**SMALL, "seed": 7}, "labels": {"made-by": "it's me"}}
    made = await generate(http, HOSTILE, priority="PRIORITY_LOW", timeout="900s", **wanted)
    await page.goto(f"/jobs/{made['job_id']}")
    card = part(page, "As a command")
    for name in COMMANDS:
        await card.get_by_role("tab", name=name, exact=True).click()
        await card.get_by_role("button", name=f"Copy as {name}").click()
        text: str = await page.evaluate("navigator.clipboard.readText()")
        assert text == await card.get_by_label(f"As {name}", exact=True).inner_text()
        await run_command(name, text)
    listed = (await http.get("/api/v1/jobs", params={"labels": "made-by=it's me"})).json()["jobs"]
    assert len(listed) == 4
    for job in listed:
        left = {**job["request"], "request_id": ""}
        assert left == {**made["request"], "request_id": ""}
    [picture] = os.listdir(tmp_path)
    assert re.fullmatch(r"[0-9a-f-]{36}-0\.webp", picture)


@pytest.mark.parametrize("kind", OTHER_KINDS)
async def test_the_commands_make_sounds_films_and_keep_secrets(
    kind: str,
    page: Page,
    stack: Stack,
    http: httpx.AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a prompt where there is none; a secret comes from the environment."""
    monkeypatch.chdir(tmp_path)
    suffix, body = OTHER_KINDS[kind]
    if body["model"] == SPEAKER:
        await add_speaker(stack)
    answer = await http.post("/api/v1/generate", json={**body, "labels": {"kind": kind}})
    made = answer.raise_for_status().json()
    await page.goto(f"/jobs/{made['job_id']}")
    card = part(page, "As a command")
    for name in COMMANDS:
        await card.get_by_role("tab", name=name, exact=True).click()
        text = await card.get_by_label(f"As {name}", exact=True).inner_text()
        assert '""' not in text
        assert STARS not in text
        await run_command(name, text, API_KEY=SECRET)
    listed = (await http.get("/api/v1/jobs", params={"labels": f"kind={kind}"})).json()["jobs"]
    asked = [{**job["request"], "request_id": ""} for job in listed]
    assert asked == [{**made["request"], "request_id": ""}] * 4
    [file] = os.listdir(tmp_path)
    assert re.fullmatch(rf"[0-9a-f-]{{36}}-0\.{suffix}", file)


async def test_a_secret_is_typed_again(page: Page, stack: Stack, http: httpx.AsyncClient) -> None:
    """It is shown as hidden; whoever makes the job again is led to the form, where it is empty."""
    await add_speaker(stack)
    body = OTHER_KINDS["secret"][1]
    made = (await http.post("/api/v1/generate", json=body)).raise_for_status().json()
    await page.goto(f"/jobs/{made['job_id']}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("a word that costs a key")
    inputs = part(page, "Inputs")
    await expect(inputs).to_contain_text("api keyhidden")
    await expect(page.get_by_role("main").get_by_text(STARS)).to_have_count(0)
    await page.get_by_role("button", name="Run again").click()
    await expect(page).to_have_title("Create · mediagen")
    await expect(page.get_by_text("type API key again")).to_be_visible()
    await expect(page.get_by_role("textbox", name="API key")).to_have_value("")
    await expect(page.get_by_role("textbox", name="Text")).to_have_value("a word that costs a key")


async def test_a_long_log_shows_its_end(page: Page, stack: Stack, http: httpx.AsyncClient) -> None:
    """And says that it is the end; it stays there while more comes, unless one scrolls up."""
    steps = {"num_inference_steps": 50, "megapixels": "0.25"}
    made = await generate(http, "a log to read", model=DEV, input=steps)
    await finished(http, made["job_id"])
    await page.goto(f"/jobs/{made['job_id']}")
    log = part(page, "Log")
    await expect(log).to_contain_text(re.compile(r"The last \d+ lines"))
    box = log.get_by_label("The end of the model's log")
    left = "box => box.scrollHeight - box.scrollTop - box.clientHeight"
    assert await box.evaluate("box => box.scrollHeight > box.clientHeight")
    assert await box.evaluate(left) < 2


async def test_a_link_is_copied_without_the_clipboard_of_https(
    open_tab: OpenTab, http: httpx.AsyncClient
) -> None:
    """Over plain HTTP a browser gives a page no clipboard; job page and menu copy anyhow."""
    made = await generate(http, "a link to take", model=FLUX, input=SMALL)
    await finished(http, made["job_id"])
    page = await open_tab(permissions=["clipboard-read", "clipboard-write"])
    await page.add_init_script(
        "window.kept = navigator.clipboard;"
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});"
    )
    await page.goto(f"/jobs/{made['job_id']}")
    await page.get_by_role("button", name="Copy link").click()
    await expect(page.get_by_text("Copied", exact=True)).to_be_visible()
    assert await page.evaluate("kept.readText()") == page.url
    await page.evaluate("kept.writeText('')")
    await page.goto("/gallery?q=link+to+take")
    await page.locator("[data-slot=job-card]").hover()
    await page.get_by_role("button", name="Actions: a link to take").click()
    await page.get_by_role("menuitem", name="Copy link").click()
    await expect(page.get_by_text("Link copied")).to_be_visible()
    assert str(await page.evaluate("kept.readText()")).endswith(f"/jobs/{made['job_id']}")


async def test_a_failed_job_says_why_and_what_to_do(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Why, whether it was charged; and where it was, another try is asked about first."""
    await set_fault(stack, "fails for free", "status", arg="403", count=1)
    await set_fault(stack, "fails and costs", "output_none", count=1)
    free = await generate(http, "fails for free", model=FLUX, input=SMALL)
    paid = await generate(http, "fails and costs", model=FLUX, input=SMALL)
    main = page.get_by_role("main")
    await finished(http, free["job_id"])
    await page.goto(f"/jobs/{free['job_id']}")
    await expect(main.get_by_role("heading", name="Provider refused")).to_be_visible()
    await expect(main).to_contain_text("Not charged. Nothing was created at the provider.")
    await axe(page)
    await finished(http, paid["job_id"])
    await page.goto(f"/jobs/{paid['job_id']}")
    await expect(main.get_by_role("heading", name="No output")).to_be_visible()
    await expect(main).to_contain_text("Charged. The model succeeded.")
    await main.get_by_role("button", name="Try again…").click()
    dialog = page.get_by_role("dialog", name="Pay for it a second time?")
    await dialog.get_by_role("button", name="Submit it again").click()
    await expect(page).not_to_have_url(re.compile(paid["job_id"]))
    again = await job_of(page, http)
    assert again["request"]["prompt"] == "fails and costs"


async def test_a_cancel_says_what_it_may_cost(
    page: Page, stack: Stack, http: httpx.AsyncClient
) -> None:
    """Before it is done; and then the page tells how it ended."""
    await set_fault(stack, "to be stopped", "run", arg="300")
    made = await generate(http, "to be stopped", model=FLUX, input=SMALL)
    await page.goto(f"/jobs/{made['job_id']}")
    await expect(page).to_have_title(re.compile("Processing"))
    await page.get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog", name="Cancel this job?")
    await expect(dialog).to_contain_text("may be charged")
    await axe(page)
    await dialog.get_by_role("button", name="Cancel the job").click()
    happened = part(page, "What happened").get_by_role("listitem")
    await expect(happened.last).to_contain_text("Canceled")
    await expect(happened.filter(has_text="A cancel was asked for")).to_have_count(1)
    await expect(part(page, "Cost")).to_contain_text("The model ran until it was canceled")


async def test_a_job_is_run_once_more(page: Page, http: httpx.AsyncClient) -> None:
    """Exactly, with the seed that ran; varied, without it; remixed, in the form."""
    made = await generate(http, "once more", model=FLUX, input=SMALL)
    job = await finished(http, made["job_id"])
    await page.goto(f"/jobs/{made['job_id']}")
    await page.get_by_role("button", name="Rerun exactly").click()
    await expect(page).not_to_have_url(re.compile(made["job_id"]))
    again = await job_of(page, http)
    assert again["request"]["input"] == {**SMALL, "seed": job["attempts"][0]["seed"]}
    first = page.url
    await page.get_by_role("button", name="Vary").click()
    await expect(page).not_to_have_url(first)
    assert (await job_of(page, http))["request"]["input"] == SMALL
    await page.get_by_role("link", name="Remix").click()
    await expect(page).to_have_title("Create · mediagen")


async def test_input_files_are_shown_and_results_become_inputs(
    page: Page, http: httpx.AsyncClient
) -> None:
    """What was uploaded stands there with its hash; a result goes into a model that takes files."""
    two = {**SMALL, "output_format": "png", "num_outputs": 2}
    source = await generate(http, "a source", model=FLUX, input=two)
    await finished(http, source["job_id"])
    picture = (await http.get(f"/api/v1/jobs/{source['job_id']}/artifacts/0")).content
    answer = await http.post("/api/v1/uploads?file_name=source.png", content=picture)
    upload = answer.raise_for_status().json()
    made = await generate(http, "edited", model=EDITOR, input={"input_image": upload["uri"]})
    await page.goto(f"/jobs/{made['job_id']}")
    inputs = part(page, "Inputs")
    await expect(inputs).to_contain_text(upload["sha256"])
    await expect(inputs.get_by_text("source.png")).to_be_visible()
    thumbnail = inputs.locator("img")
    await expect(thumbnail).to_have_js_property("complete", True)
    assert await thumbnail.evaluate("picture => picture.naturalWidth") > 0
    await page.goto(f"/jobs/{source['job_id']}")
    await page.get_by_role("button", name="Result 2 of 2").click()
    await page.get_by_role("button", name="Use as input").click()
    await page.get_by_role("menuitem", name=EDITOR).click()
    await expect(page).to_have_title("Create · mediagen")
    await expect(page).to_have_url(re.compile("model="))
    taken = page.get_by_role("main").locator(f"img[src*='{source['job_id']}/artifacts/1']")
    await expect(taken.first).to_be_visible()


async def test_a_job_that_is_not_there_is_said(page: Page) -> None:
    """By an id that never was, and by what is no id."""
    for job_id in (NO_JOB, "nothing"):
        await page.goto(f"/jobs/{job_id}")
        await expect(page.get_by_role("heading", name="There is no such job")).to_be_visible()
    await axe(page)
    await page.get_by_role("link", name="To the gallery").click()
    await expect(page).to_have_title("Gallery · mediagen")
