"""Which bytes does an HTTP request want? RFC 9110, sections 13 and 14, for one strong ETag."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

_RANGE = re.compile(
    r"bytes\s*=\s*(?P<first>\d{0,18})\s*-\s*(?P<last>\d{0,18})", re.IGNORECASE | re.ASCII
)
_ETAG = re.compile(r'(?:W/)?"[^"]*"')


@dataclass(frozen=True, slots=True)
class Wanted:
    """The answer's status, and the bytes [start, end) where it has any."""

    status: Literal[200, 206, 304, 412, 416]
    start: int = 0
    end: int = 0

    @property
    def length(self) -> int:
        return self.end - self.start


def wanted(headers: Mapping[str, str], *, etag: str, size: int, head: bool = False) -> Wanted:
    """What to answer; *etag* is quoted, *headers* have lower-case names.

    A Range that is malformed, of several parts or of another unit is ignored, as the RFC permits;
    so is any on HEAD.
    """
    if "if-match" in headers and not _names(headers["if-match"], etag, weak=False):
        return Wanted(412)
    if "if-none-match" in headers and _names(headers["if-none-match"], etag, weak=True):
        return Wanted(304)
    whole = Wanted(200, 0, size)
    asked = headers.get("range")
    if head or asked is None or not _still_the_same(headers.get("if-range"), etag):
        return whole
    part = _RANGE.fullmatch(asked.strip())
    if part is None or not (part["first"] or part["last"]):
        return whole
    if not part["first"]:
        return _last_bytes(int(part["last"]), size)
    first, last = int(part["first"]), int(part["last"] or size - 1)
    if part["last"] and last < first:
        return whole
    return Wanted(206, first, min(last + 1, size)) if first < size else Wanted(416)


def _last_bytes(count: int, size: int) -> Wanted:
    return Wanted(206, max(0, size - count), size) if count and size else Wanted(416)


def _still_the_same(if_range: str | None, etag: str) -> bool:
    # There is no Last-Modified, so a date never matches; neither does a weak ETag.
    return if_range is None or if_range.strip() == etag


def _names(listed: str, etag: str, *, weak: bool) -> bool:
    if listed.strip() == "*":
        return True
    found = _ETAG.findall(listed)
    return etag in ([each.removeprefix("W/") for each in found] if weak else found)
