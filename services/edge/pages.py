"""How does Envoy serve the files of site/ from its memory?

One direct_response route per file, and before it one that answers 304 to the file's ETag. Nothing
outside this folder can be reached that way, and no process has to serve it.
"""

import hashlib
import mimetypes
from collections.abc import Iterator, Mapping
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
# Pages take nothing from elsewhere. The two API viewers set styles from their scripts, and ReDoc
# builds its search index in a worker that it makes from a blob.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
PAGE_HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


def page_routes(site: Path) -> list[Json]:
    """Routes for every file below `site`; `x/index.html` is also found at /x and /x/."""
    files = sorted(path for path in site.rglob("*") if path.is_file())
    return [route for path in files for route in _file_routes(site, path)]


def _file_routes(site: Path, path: Path) -> Iterator[Json]:
    relative = path.relative_to(site).as_posix()
    urls = [f"/{relative}"]
    if path.name == "index.html":
        folder = relative.removesuffix("index.html").rstrip("/")
        urls += [f"/{folder}/", f"/{folder}"] if folder else ["/"]
    etag = f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:20]}"'
    headers = _headers(path, etag)
    get = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
    # A compressed answer carries the same tag as W/"…": `contains` serves both, and lists.
    known = {"name": "if-none-match", "string_match": {"contains": etag}}
    for url in urls:
        shared = {"response_headers_to_add": headers, "typed_per_filter_config": TRANSCODER_OFF}
        yield {
            "name": f"page {url} unchanged",
            "match": {"path": url, "headers": [get, known]},
            "direct_response": {"status": 304},
            "response_headers_to_remove": ["location"],  # Envoy gives every 3xx one
            **shared,
        }
        yield {
            "name": f"page {url}",
            "match": {"path": url, "headers": [get]},
            "direct_response": {"status": 200, "body": {"filename": str(path)}},
            **shared,
        }
        yield {
            "name": f"page {url} wrong-method",
            "match": {"path": url},
            "direct_response": {"status": 405},
            "response_headers_to_add": [_header("allow", "GET, HEAD")],
            "typed_per_filter_config": TRANSCODER_OFF,
        }


def _headers(path: Path, etag: str) -> list[Json]:
    kind = CONTENT_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    kind = kind or "application/octet-stream"
    values = {
        "content-type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        # Asked about each time, and mostly answered by 304: names carry no version.
        "cache-control": "no-cache",
        "etag": etag,
    }
    if kind == "text/html":
        values.update(PAGE_HEADERS)
    return [_header(name, value) for name, value in values.items()]


def _header(name: str, value: str) -> Json:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
