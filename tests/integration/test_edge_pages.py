"""The pages that the edge serves by itself."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from edge.config import APP, SITE
from tests.integration.edge_stub import RunningEdge, running_edge, stub_gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")
PAGES = ("/", "/docs", "/redoc")
APP_URLS = ("/", "/gallery", "/gallery/?q=cat", "/jobs/0199-a", "/jobs/0199-a/", "/operations")

# What a browser accepts when somebody goes to a path.
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningEdge]:
    """An edge with a gateway behind it."""
    folder = tmp_path_factory.mktemp("edge")
    async with stub_gateway(folder) as gateway, running_edge(folder, [gateway]) as started:
        yield started


def references(html: str) -> list[str]:
    """What a page loads."""
    loads = re.findall(r'<(?:script|img)[^>]*\ssrc="([^"]+)"', html)
    return loads + re.findall(r'<link[^>]*\shref="([^"]+)"', html)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_and_all_that_it_loads_come_from_here(edge: RunningEdge, path: str) -> None:
    """No reference leaves this origin, every one is served, and nothing is inline."""
    page = await edge.client.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    found = references(page.text)
    assert found
    for reference in found:
        assert reference.startswith("/")
        assert not reference.startswith("//")
        assert (await edge.client.get(reference)).status_code == 200
    assert not re.search(r"<script(?![^>]*\ssrc=)|\son\w+=|<style", page.text)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_may_not_ask_any_other_host(edge: RunningEdge, path: str) -> None:
    """The browser itself refuses whatever a vendored script might try."""
    headers = (await edge.client.get(path)).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    for sources in policy.values():
        assert set(sources.split()) <= {"'self'", "'none'", "'unsafe-inline'", "data:", "blob:"}
    assert policy["script-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", APP_URLS)
async def test_every_url_of_the_page_answers_with_it(edge: RunningEdge, path: str) -> None:
    """Which one it is the page itself sees; it is asked about each time, as its parts change."""
    page = await edge.client.get(path)
    assert (page.status_code, page.content) == (200, (APP / "index.html").read_bytes())
    assert page.headers["cache-control"] == "no-cache"
    known = {"if-none-match": page.headers["etag"]}
    assert (await edge.client.get(path, headers=known)).status_code == 304
    assert (await edge.client.post(path)).status_code == 405


@pytest.mark.parametrize("path", APP_URLS)
async def test_the_page_may_do_nothing_inline(edge: RunningEdge, path: str) -> None:
    """Its policy has no exception: no inline script or style, no eval, no other host."""
    told = (await edge.client.get(path)).headers["content-security-policy"]
    policy = dict(part.split(" ", 1) for part in told.split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


async def test_the_parts_of_the_page_are_kept_for_ever(edge: RunningEdge) -> None:
    """Their names change with what is in them."""
    parts = [path for path in APP.rglob("*") if path.is_file() and path.parent != APP]
    assert {path.suffix for path in parts} >= {".js", ".css", ".svg"}
    for path in parts:
        part = await edge.client.get(f"/{path.relative_to(APP).as_posix()}")
        assert part.content == path.read_bytes()
        assert part.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_the_viewers_are_told_to_ask_nobody(edge: RunningEdge) -> None:
    """Swagger's validator is off, ReDoc's logo is gone, and its fonts are the system's."""
    assert "validatorUrl: null" in (await edge.client.get("/assets/docs.js")).text
    redoc = (await edge.client.get("/vendor/redoc/redoc.standalone.js")).text
    assert "cdn.redoc" not in redoc
    assert "fonts.googleapis" not in redoc


async def test_a_known_copy_is_not_sent_again(edge: RunningEdge) -> None:
    """The ETag answers 304, also with the weak form that a compressed copy has."""
    first = await edge.client.get("/openapi.json", headers={"accept-encoding": "gzip"})
    etag = first.headers["etag"]
    for known in (etag, etag.removeprefix("W/"), f'"other", {etag}'):
        again = await edge.client.get("/openapi.json", headers={"if-none-match": known})
        assert again.status_code == 304
        assert not again.content
    other = await edge.client.get("/openapi.json", headers={"if-none-match": '"other"'})
    assert other.status_code == 200


async def test_every_file_of_the_site_is_served_as_it_is(edge: RunningEdge) -> None:
    """Byte for byte, to GET and to HEAD."""
    files = [path for path in SITE.rglob("*") if path.is_file()]
    assert Path(SITE, "openapi.json") in files
    for path in files:
        url = f"/{path.relative_to(SITE).as_posix()}"
        assert (await edge.client.get(url)).content == path.read_bytes()
        head = await edge.client.head(url)
        assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/../config.py",
        "/assets/../../config.py",
        "/assets/",
        "/x.js",
        "/app/",
        "/app/index.html",
        "/app/old-AbCd1234.js",
        "/jobs/1/2",
        "/galleryx",
    ],
)
async def test_nothing_else_is_served(edge: RunningEdge, path: str) -> None:
    """There is a route per file, and no folder behind it."""
    assert (await edge.client.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/jobz", "/gallery/x", "/a/b?c=d", "/jobs/1/2", "/x.js"])
async def test_a_person_who_is_lost_gets_the_page(edge: RunningEdge, path: str) -> None:
    """It says that nothing is there and leads on. No copy is kept: there may be a page tomorrow."""
    page = await edge.client.get(path, headers=BROWSER)
    assert (page.status_code, page.content) == (404, (APP / "index.html").read_bytes())
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "etag" not in page.headers
    assert (await edge.client.head(path, headers=BROWSER)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/jobz", "*/*"),
        ("GET", "/jobz", "application/json"),
        ("POST", "/jobz", BROWSER["accept"]),
        ("GET", "/api/v1/nowhere", BROWSER["accept"]),
        ("GET", "/api", BROWSER["accept"]),
        ("GET", "/docs/nowhere", BROWSER["accept"]),
        ("GET", "/app/old-AbCd1234.js", BROWSER["accept"]),
        ("GET", "/mediagen.v1.Nothing/Get", BROWSER["accept"]),
    ],
)
async def test_a_program_is_told_as_the_api_tells(
    edge: RunningEdge, method: str, path: str, accept: str
) -> None:
    """As JSON: whoever calls the API, and whoever asks where only programs go."""
    answer = await edge.client.request(method, path, headers={"accept": accept})
    assert answer.status_code == 404
    assert answer.json()["details"][0]["reason"] == "PATH_NOT_FOUND"


async def test_the_document_is_served_for_tools(edge: RunningEdge) -> None:
    """/openapi.json is OpenAPI 3.1 and calls this origin."""
    document = (await edge.client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "/"}]
