"""Does a file of the reader's get into a job, by every way that leads there?"""

from __future__ import annotations

import base64
import hashlib
import io
import re

import httpx
import pytest
from PIL import Image
from playwright.async_api import FilePayload, Locator, Page, Route, expect

from tests.e2e.web.browsing import Troubles, axe, shoot
from tests.e2e.web.test_create import EDITOR, card, jobs_with, prompt_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
SEVERAL = "black-forest-labs/flux-2-pro"
UPLOADS = re.compile(r"/api/v1/uploads\?")

# What a browser does when somebody drops or pastes files; only people can do it truly.
GIVE = """(target, [kind, name, type, bytes]) => {
    const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([content], name, {type}));
    const event = kind === "paste"
        ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
    target.dispatchEvent(event);
}"""


def picture(colour: str) -> bytes:
    """A small PNG, another one for each colour."""
    file = io.BytesIO()
    Image.new("RGB", (96, 64), colour).save(file, "PNG")
    return file.getvalue()


def as_file(name: str, content: bytes, kind: str = "image/png") -> FilePayload:
    """What a file chooser gives."""
    return {"name": name, "mimeType": kind, "buffer": content}


async def give(target: Locator, kind: str, name: str, content: bytes) -> None:
    """Drops or pastes a picture there."""
    encoded = base64.b64encode(content).decode()
    await target.evaluate(GIVE, [kind, name, "image/png", encoded])


async def choose(page: Page, field: Locator, *files: FilePayload) -> None:
    """By the field's button and the system's file chooser."""
    button = field.get_by_role("button", name=re.compile("Choose|Add another"))
    async with page.expect_file_chooser() as opened:
        await button.click()
    await (await opened.value).set_files(list(files))


async def test_a_chosen_file_is_uploaded_and_used(page: Page, http: httpx.AsyncClient) -> None:
    """It shows at once, its upload moves, it survives a reload, and the job knows its hash."""
    content = picture("teal")
    await page.goto(f"/?model={EDITOR}")
    field = page.get_by_role("group", name="Input image")
    await choose(page, field, as_file("harbour.png", content))
    await expect(field.get_by_text("image/png")).to_be_visible()
    await prompt_of(page).fill("a harbour by night")
    await page.reload()
    await expect(field.get_by_text("harbour.png")).to_be_visible()
    await expect(field.locator("img")).to_be_visible()
    await axe(page)
    await page.keyboard.press("Control+Enter")
    await expect(card(page, "a harbour by night")).to_be_visible()
    [job] = await jobs_with(http, "a harbour by night")
    [file] = job["request"]["input_files"]
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert job["request"]["input"]["input_image"].startswith("upload:")
    await expect(card(page, "a harbour by night").locator("img")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("kind", ["paste", "drop"])
async def test_a_file_can_be_given_anywhere(page: Page, kind: str) -> None:
    """Pasted into the text, or dropped onto the form, it goes to the field that takes it."""
    await page.goto(f"/?model={EDITOR}")
    await prompt_of(page).click()
    await give(prompt_of(page), kind, f"{kind}.png", picture("coral"))
    field = page.get_by_role("group", name="Input image")
    await expect(field.get_by_text(f"{kind}.png")).to_be_visible()
    await expect(field.get_by_text("image/png")).to_be_visible()
    await expect(prompt_of(page)).to_have_value("")


async def test_several_files_keep_the_order_that_they_are_given(
    page: Page, http: httpx.AsyncClient
) -> None:
    """They are moved by buttons, and removed; the job has them in the order shown."""
    pictures = {colour: picture(colour) for colour in ("red", "green", "blue")}
    await page.goto(f"/?model={SEVERAL}")
    field = page.get_by_role("group", name="Input images")
    for colour, content in pictures.items():
        await choose(page, field, as_file(f"{colour}.png", content))
        await expect(field.get_by_role("button", name=f"Remove {colour}.png")).to_be_visible()
    await expect(field.get_by_text("image/png")).to_have_count(3)
    await field.get_by_role("button", name="Move blue.png up").click()
    await field.get_by_role("button", name="Remove red.png").click()
    await expect(field.get_by_role("listitem").first).to_contain_text("blue.png")
    await shoot(page, "create-files-light")
    await prompt_of(page).fill("blue before green")
    await page.keyboard.press("Control+Enter")
    await expect(card(page, "blue before green")).to_be_visible()
    [job] = await jobs_with(http, "blue before green")
    hashes = [file["sha256"] for file in job["request"]["input_files"]]
    wanted = [pictures["blue"], pictures["green"]]
    assert hashes == [hashlib.sha256(content).hexdigest() for content in wanted]


async def test_a_refused_file_is_told_of_and_can_be_taken_away(
    page: Page, troubles: Troubles
) -> None:
    """What it is counts, not what it is called: a page is no picture."""
    troubles.expect("Failed to load resource.*415")
    await page.goto(f"/?model={EDITOR}")
    field = page.get_by_role("group", name="Input image")
    hostile = b"<!doctype html><script>alert(1)</script>"
    await choose(page, field, as_file("picture.png", hostile))
    await expect(field.get_by_role("alert")).to_be_visible()
    await prompt_of(page).fill("not with this")
    await page.keyboard.press("Control+Enter")
    wrong = page.get_by_role("alert", name="What is wrong with the request")
    await expect(wrong).to_contain_text("Input image: has a file that did not arrive")
    await field.get_by_role("button", name="Remove picture.png").click()
    await expect(field.get_by_role("alert")).to_have_count(0)


async def test_an_upload_that_was_cut_off_is_begun_again(page: Page, troubles: Troubles) -> None:
    """Nothing is lost but time: the file is still there."""
    troubles.expect("Failed to load resource")
    cut = 0

    async def cut_first(route: Route) -> None:
        nonlocal cut
        cut += 1
        await (route.abort() if cut == 1 else route.continue_())

    await page.route(UPLOADS, cut_first)
    await page.goto(f"/?model={EDITOR}")
    field = page.get_by_role("group", name="Input image")
    await choose(page, field, as_file("again.png", picture("navy")))
    await expect(field.get_by_role("alert")).to_contain_text("did not arrive")
    await field.get_by_role("button", name="Upload again.png again").click()
    await expect(field.get_by_text("image/png")).to_be_visible()
    assert cut == 2
