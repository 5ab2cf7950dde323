"""Where does the next page begin? A token says it, for the filter that it was given for alone."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from store.domain.errors import PageTokenInvalid


@dataclass(frozen=True, slots=True)
class Place:
    """The last row of a page. *until* bounds all pages, where later rows are not meant."""

    created: datetime
    job_id: UUID
    until: datetime | None = None


def write_token(fingerprint: str, place: Place) -> str:
    """The token of the page behind *place*."""
    until = place.until.isoformat() if place.until else None
    words = json.dumps([fingerprint, place.created.isoformat(), str(place.job_id), until])
    return base64.urlsafe_b64encode(words.encode()).decode().rstrip("=")


def read_token(fingerprint: str, token: str) -> Place:
    """The place that *token* names. PageTokenInvalid if it is not one of this filter's."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        given, created, job_id, until = json.loads(raw)
        if given != fingerprint:
            raise ValueError
        return Place(_time(created), UUID(job_id), _time(until) if until is not None else None)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise PageTokenInvalid from None


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError
    return time.astimezone(UTC)  # what lies beyond the years of a datetime fails here


def write_name(fingerprint: str, name: str) -> str:
    """The token of the page behind *name*, of rows that are sorted by name."""
    return base64.urlsafe_b64encode(json.dumps([fingerprint, name]).encode()).decode().rstrip("=")


def read_name(fingerprint: str, token: str) -> str:
    """The name that *token* stands for. PageTokenInvalid if it is not one of this filter's."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        given, name = json.loads(raw)
        if given != fingerprint or not isinstance(name, str) or "\x00" in name:
            raise ValueError
        name.encode()
        return name
    except (ValueError, TypeError, RecursionError):
        raise PageTokenInvalid from None
