"""Does the page stand: its tabs, its keys, its themes, its policy, for eyes and for machines?"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from devstack.testing import Stack
from tests.e2e.web.browsing import Troubles, axe, shoot, until
from tests.e2e.web.conftest import OpenTab

pytestmark = pytest.mark.asyncio(loop_scope="session")
# A long page; what grows above the reader does not shift it, as the browser would have it.
TALL = """
document.body.style.minHeight = "5000px";
const still = new CSSStyleSheet();
still.replaceSync("* { overflow-anchor: none }");
document.adoptedStyleSheets.push(still);
"""
PAGES = (("Create", "/"), ("Gallery", "/gallery"), ("Operations", "/operations"))


async def test_each_tab_leads_to_its_page(page: Page) -> None:
    """By link, with a title of its own, the focus on what is new, and back by the browser."""
    await page.goto("/")
    for name, path in PAGES[1:]:
        await page.get_by_role("link", name=name).click()
        await expect(page).to_have_url(re.compile(f"{path}$"))
        await expect(page).to_have_title(f"{name} · mediagen")
        await expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
        await expect(page.get_by_role("main")).to_be_focused()
    await page.go_back()
    await expect(page).to_have_title("Gallery · mediagen")


@pytest.mark.parametrize(("name", "path"), PAGES)
async def test_a_page_opens_by_its_url(page: Page, name: str, path: str) -> None:
    """Each URL can be sent to somebody: the edge answers it with the page."""
    await page.goto(path)
    await expect(page).to_have_title(f"{name} · mediagen")
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)


async def test_the_keys_are_listed_and_work(page: Page) -> None:
    """`?` lists them, Escape closes the list, two keys after one another go to a page."""
    await page.goto("/")
    await expect(page.get_by_role("main")).to_be_visible()
    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    await expect(keys).to_contain_text("Gallery")
    await axe(page)
    await shoot(page, "keys-light")
    await page.keyboard.press("Escape")
    await expect(keys).to_have_count(0)
    for typed, name in (("gg", "Gallery"), ("go", "Operations"), ("gc", "Create")):
        for key in typed:
            await page.keyboard.press(key)
        await expect(page).to_have_title(f"{name} · mediagen")


async def test_the_first_tab_stop_leads_past_the_bar(page: Page) -> None:
    """Whoever has no mouse need not go through the bar on every page."""
    await page.goto("/operations")
    await expect(page.get_by_role("main")).to_be_visible()
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()


async def test_the_theme_is_the_systems_unless_chosen(dark: Page) -> None:
    """A choice lasts over a reload, holds before the first paint, and can be given back."""
    root = dark.locator("html")
    await dark.goto("/gallery")
    await expect(root).to_have_class("dark")
    await dark.get_by_role("button", name="Menu").click()
    await axe(dark)
    await shoot(dark, "menu-dark")
    await dark.get_by_role("menuitemradio", name="Light").click()
    await expect(root).not_to_have_class("dark")
    await dark.reload()
    await expect(root).not_to_have_class("dark")
    await dark.get_by_role("button", name="Menu").click()
    await dark.get_by_role("menuitemradio", name="As the system").click()
    await expect(root).to_have_class("dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_wrong_address_is_said_and_leads_on(open_tab: OpenTab, scheme: str) -> None:
    """Also where the page itself goes there, with no word from the edge."""
    page = await open_tab(color_scheme=scheme)
    await page.goto("/gallery")
    await page.evaluate(
        "history.pushState({}, '', '/nowhere'); dispatchEvent(new PopStateEvent('popstate'))"
    )
    await expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    await axe(page)
    await shoot(page, f"not-found-{scheme}")
    await page.get_by_role("link", name="Open the gallery").click()
    await expect(page).to_have_title("Gallery · mediagen")


@pytest.mark.parametrize("path", ["/jobz", "/gallery/x", "/jobs/1/2"])
async def test_an_unknown_path_is_answered_with_the_page(
    page: Page, troubles: Troubles, path: str
) -> None:
    """As 404, for machines; people read that nothing is there, and go on from it."""
    troubles.expect("Failed to load resource.*404")
    answer = await page.goto(path)
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    await page.get_by_role("link", name="Create something").click()
    await expect(page).to_have_title("Create · mediagen")


async def test_a_simulator_is_told_of_on_every_page(page: Page, phone: Page) -> None:
    """Nobody takes what it draws for the real thing; what that means opens on demand."""
    for tab in (page, phone):
        for _, path in PAGES:
            await tab.goto(path)
            badge = tab.get_by_role("button", name="Simulator: nothing is paid, pictures are drawn")
            await expect(badge).to_be_visible()
    badge = page.get_by_role("button", name=re.compile("^Simulator"))
    await badge.click()
    await expect(page.get_by_role("dialog")).to_contain_text("stands in for Replicate")
    await axe(page)


async def test_a_page_that_can_not_be_loaded_leaves_the_others(
    page: Page, troubles: Troubles
) -> None:
    """The shell says so and stays; nothing is reloaded while the same page is installed."""
    troubles.expect("gallery-page-.*js|Failed to load resource")
    await page.goto("/operations")
    await page.evaluate("window.same = true")
    await page.route("**/app/gallery-page-*.js", lambda route: route.abort())
    await page.get_by_role("link", name="Gallery").click()
    await expect(page.get_by_role("heading", name="Something broke on this page")).to_be_visible()
    await axe(page)
    await page.get_by_role("link", name="Operations").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Operations")
    assert await page.evaluate("window.same")


async def test_the_page_comes_back_newer_when_its_parts_are_gone(
    page: Page, troubles: Troubles
) -> None:
    """After a deployment the old parts are 404, and `/` names others."""
    troubles.expect("gallery-page-.*js|Failed to load resource")
    await page.goto("/operations")
    await page.route("**/app/gallery-page-*.js", lambda route: route.fulfill(status=404))
    newer = "<!doctype html><title>newer</title>"
    await page.route("**/", lambda route: route.fulfill(body=newer, content_type="text/html"))
    await page.route(
        "**/gallery", lambda route: route.fulfill(body=newer, content_type="text/html")
    )
    await page.get_by_role("link", name="Gallery").click()
    await expect(page).to_have_title("newer")


async def test_coming_back_to_a_page_is_coming_back_to_its_place(page: Page) -> None:
    """A new page begins at its top, one gone back to where it was left, also over a reload."""
    await page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ {TALL} }})")
    await page.goto("/operations")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    # What is scrolled is noted with the next frame.
    await page.evaluate("scrollTo(0, 1200); new Promise(done => setTimeout(done, 200))")
    await page.keyboard.type("gg")
    await expect(page).to_have_title("Gallery · mediagen")
    assert await page.evaluate("scrollY") == 0
    await page.go_back()
    await expect(page).to_have_title("Operations · mediagen")
    await until(page, "scrollY === 1200")
    await page.reload()
    await until(page, "scrollY === 1200")


async def test_the_keys_can_be_turned_off(page: Page) -> None:
    """Whoever speaks to the machine would press them by accident (WCAG 2.1.4)."""
    await page.goto("/operations")
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("menuitem", name="Keys").click()
    await page.get_by_role("switch", name="Single keys do something").click()
    await page.keyboard.press("Escape")
    await page.reload()
    await expect(page.get_by_role("main")).to_be_visible()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_phone_has_its_tabs_below(phone: Page) -> None:
    """Nothing is wider than the screen, and every page is one touch away."""
    await phone.goto("/")
    for name, path in PAGES[::-1]:
        await phone.get_by_role("link", name=name, exact=True).tap()
        await expect(phone).to_have_url(re.compile(f"{path}$"))
        await expect(phone).to_have_title(f"{name} · mediagen")
        wider = "document.documentElement.scrollWidth > innerWidth"
        assert not await phone.evaluate(wider), f"{path} scrolls sideways"


@pytest.mark.parametrize(
    ("script", "noted"),
    [
        ("document.head.append(Object.assign(document.createElement('style'), "
         "{textContent: 'p{color:red}'}))", "style-src"),
        ("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">')", "style-src"),
        ("document.body.append(Object.assign(document.createElement('script'), "
         "{textContent: '1'}))", "script-src"),
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "connect-src"),
        ("setTimeout(() => { throw new Error('on purpose') })", "on purpose"),
        ("console.error('on purpose')", "on purpose"),
    ],
)  # fmt: skip
async def test_troubles_are_noted(
    page: Page, stack: Stack, troubles: Troubles, script: str, noted: str
) -> None:
    """What every other test here relies on: the policy refuses these, and the test hears of it."""
    await page.goto("/operations")
    assert not troubles.unexpected
    await page.evaluate(f"() => {{ {script} }}")
    await page.wait_for_timeout(300)
    assert any(noted in each for each in troubles.seen), troubles.seen
    troubles.seen.clear()
