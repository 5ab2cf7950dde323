"""How does Envoy serve the files of site/ and app/ from its memory?

One direct_response route per file, and before it one that answers 304 to the file's ETag. Nothing
outside these folders can be reached that way, and no process has to serve it. site/ has the API's
documentation. app/ has the web page, as `tools/web build` wrote it: its index.html is what every
URL of the page answers with, and the page itself looks at which one it is.
"""

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
TRANSCODER_OFF = {
    "envoy.filters.http.grpc_json_transcoder": {
        "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
        "disabled": True,
    }
}
CONTENT_TYPES = {".js": "text/javascript", ".json": "application/json", ".md": "text/markdown"}
# The page's own URLs, as regular expressions: those of web/src/app/pages.tsx.
APP_URLS = ("/", "/gallery/?", "/jobs/[^/]+/?", "/operations/?")
# Where people do not go: whatever is not there is told as the API tells it, whoever asks.
MACHINE_PATHS = r"/(api|docs|redoc|app|assets|vendor|openapi\.json|mediagen\.|grpc\.).*"
# Nothing from elsewhere, nothing inline. Pictures to be uploaded are shown as blobs.
APP_POLICY: Mapping[str, str] = {
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
# The two API viewers set styles from their scripts, and ReDoc builds its search index in a worker
# that it makes from a blob.
SITE_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
# Asked about each time, and mostly answered by 304: the name says nothing of the version.
ASK = "no-cache"
# The name has a hash of what is in it.
KEEP = "public, max-age=31536000, immutable"


_GET: Json = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}


@dataclass(frozen=True)
class Page:
    """A file, and the paths that it answers at; those of APP_URLS are patterns."""

    file: Path
    paths: tuple[str, ...]
    cache: str
    policy: Mapping[str, str]


def page_routes(site: Path, app: Path) -> list[Json]:
    """Routes for every file of both; `x/index.html` of the site is also found at /x and /x/."""
    pages = (*_site_pages(site), *_app_pages(app))
    found = [route for page in pages for path in page.paths for route in _routes(page, path)]
    return [*found, _nowhere(app)]


def is_lost_person() -> list[Json]:
    """Header matchers: a browser goes to a path, and not a program."""
    return [
        _GET,
        {"name": "accept", "string_match": {"contains": "text/html"}},
        {
            "name": ":path",
            "string_match": {"safe_regex": {"regex": MACHINE_PATHS}},
            "invert_match": True,
        },
    ]


def _site_pages(site: Path) -> Iterator[Page]:
    for file in _files(site):
        path = f"/{file.relative_to(site).as_posix()}"
        folder = path.removesuffix("/index.html")
        paths = (path,) if folder == path else (path, f"{folder}/", folder)
        yield Page(file, paths, ASK, SITE_POLICY)


def _app_pages(app: Path) -> Iterator[Page]:
    yield Page(app / "index.html", APP_URLS, ASK, APP_POLICY)
    for file in _files(app):
        if file.parent != app:
            yield Page(file, (f"/{file.relative_to(app).as_posix()}",), KEEP, APP_POLICY)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _routes(page: Page, path: str) -> Iterator[Json]:
    etag = f'"{hashlib.sha256(page.file.read_bytes()).hexdigest()[:20]}"'
    # A compressed answer carries the same tag as W/"…": `contains` serves both, and lists.
    known = {"name": "if-none-match", "string_match": {"contains": etag}}
    match: Json = {"safe_regex": {"regex": path}} if path in APP_URLS else {"path": path}
    shared = {
        "response_headers_to_add": _headers(page, {"etag": etag}),
        "typed_per_filter_config": TRANSCODER_OFF,
    }
    yield {
        "name": f"page {path} unchanged",
        "match": {**match, "headers": [_GET, known]},
        "direct_response": {"status": 304},
        "response_headers_to_remove": ["location"],  # Envoy gives every 3xx one
        **shared,
    }
    yield {
        "name": f"page {path}",
        "match": {**match, "headers": [_GET]},
        "direct_response": {"status": 200, "body": {"filename": str(page.file)}},
        **shared,
    }
    yield {
        "name": f"page {path} wrong-method",
        "match": match,
        "direct_response": {"status": 405},
        "response_headers_to_add": [_header("allow", "GET, HEAD")],
        "typed_per_filter_config": TRANSCODER_OFF,
    }


def _nowhere(app: Path) -> Json:
    """At any other path, for people: the page says that there is nothing, and where there is."""
    page = Page(app / "index.html", (), "no-store", APP_POLICY)
    return {
        "name": "page not-found",
        "match": {"prefix": "/", "headers": is_lost_person()},
        "direct_response": {"status": 404, "body": {"filename": str(page.file)}},
        "response_headers_to_add": _headers(page, {"vary": "accept"}),
        "typed_per_filter_config": TRANSCODER_OFF,
    }


def _headers(page: Page, more: Mapping[str, str]) -> list[Json]:
    kind = CONTENT_TYPES.get(page.file.suffix) or mimetypes.guess_type(page.file.name)[0]
    kind = kind or "application/octet-stream"
    values = {
        "content-type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "cache-control": page.cache,
        **more,
    }
    if kind == "text/html":
        values |= {
            "content-security-policy": "; ".join(" ".join(part) for part in page.policy.items()),
            "referrer-policy": "no-referrer",
            "x-frame-options": "DENY",
        }
    return [_header(name, value) for name, value in values.items()]


def _header(name: str, value: str) -> Json:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
