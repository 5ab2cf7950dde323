"""What does the provider say? Its prediction and its problem bodies, read leniently.

Every field but id and status may be absent or null (facts of the provider's recorded answers), and
an error body may be a CDN's HTML page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

TERMINAL = frozenset({"succeeded", "failed", "canceled", "aborted"})
MOST_METRICS = 32
_LONGEST_VERSION = 200
_ERROR_END = 8192  #: characters kept of an error's beginning, and of its end
_LOG_KEPT = 8192  #: the last characters: only they tell the present
_IN_SECONDS = re.compile(r"~(\d+(?:\.\d+)?)\s*s")
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|.)",
    re.DOTALL,
)


def decoded(body: bytes) -> Any:
    """The JSON of an answer, in which every text can be encoded. ValueError, RecursionError.

    Half a surrogate, which no message and no database takes, becomes U+FFFD: a text that is broken
    is worth more than a paid result that can not be recorded. It is done before anything is parsed,
    so that names of fields and any depth are covered.
    """
    text = body.decode("utf-8-sig", "replace")
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
    return json.loads(text)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction as of one answer."""

    id: str
    status: str
    output: Any = None
    error: str = ""
    logs: str = ""
    log_length: int = 0  #: of all logs; *logs* may be their end
    data_removed: bool = False
    predict_seconds: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    created_at: datetime | None = None
    completed_at: datetime | None = None
    model: str = ""
    version: str = ""  #: that runs: not always the one asked for, "hidden" for many official models
    input: Mapping[str, Any] | None = None
    webhook: str = field(default="", repr=False)

    @property
    def terminal(self) -> bool:
        return self.status in TERMINAL


def prediction(body: object) -> Prediction | None:
    """The prediction in a decoded body, or None if it has no usable id and status."""
    if not isinstance(body, Mapping):
        return None
    identity, status = body.get("id"), body.get("status")
    if not isinstance(identity, str) or not _ID.fullmatch(identity) or not isinstance(status, str):
        return None
    given, logs = body.get("input"), _words(body.get("logs"))
    return Prediction(
        id=identity,
        status=status,
        output=body.get("output"),
        error=_ends_of(_words(body.get("error"))),
        logs=logs[-_LOG_KEPT:],
        log_length=len(logs),
        data_removed=body.get("data_removed") is True,
        predict_seconds=_run_seconds(body),
        metrics=_measured(body.get("metrics")),
        created_at=_time(body.get("created_at")),
        completed_at=_time(body.get("completed_at")),
        model=_words(body.get("model")),
        version=_words(body.get("version"))[:_LONGEST_VERSION],
        input=given if isinstance(given, Mapping) else None,
        webhook=_words(body.get("webhook")),
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """An error answer: its status, and what can be read of its body."""

    status: int
    title: str = ""
    detail: str = ""
    invalid_fields: tuple[tuple[str, str], ...] = ()
    retry_after: float | None = None


def problem(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Problem:
    """*headers* with lower-case names; *now* is for a Retry-After that is a date."""
    try:
        told = decoded(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, Mapping):
        told = {}
    detail = _words(told.get("detail"))
    fields = told.get("invalid_fields")
    return Problem(
        status=status,
        title=_words(told.get("title"))[:200],
        detail=detail[:2000],
        invalid_fields=tuple(
            _violation(each)
            for each in (fields if isinstance(fields, list) else [])[:50]
            if isinstance(each, Mapping)
        ),
        retry_after=_retry_after(status, told.get("retry_after"), headers, detail, now),
    )


def _violation(field: Mapping[str, Any]) -> tuple[str, str]:
    """(path from the job's input, words). A missing input is named in the words only."""
    path = _words(field.get("field")).removeprefix("input").removeprefix(".")
    words = _words(field.get("description"))[:500]
    if not path and field.get("type") in ("required", "additional_property_not_allowed"):
        named = re.match(r"(?:Additional property )?([\w.-]+) is ", words)
        path = named[1] if named else ""
    return path[:200], words


def _retry_after(
    status: int, told: object, headers: Mapping[str, str], detail: str, now: datetime
) -> float | None:
    """In the order of trust: body, Retry-After, ratelimit-reset (429 only), the sentence."""
    candidates: list[float | None] = [_number(told), _header_seconds(headers, now)]
    if status == 429:
        candidates.append(_number(headers.get("ratelimit-reset")))
        sentence = _IN_SECONDS.search(detail)
        candidates.append(float(sentence[1]) if sentence else None)
    found = next((each for each in candidates if each is not None and each >= 0), None)
    return None if found is None else min(found, 3600.0)


def _header_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    value = headers.get("retry-after", "")
    number = _number(value)
    if number is not None or not value:
        return number
    at = http_date(value)
    return None if at is None else max(0.0, (at - now).total_seconds())


def http_date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def _words(value: object) -> str:
    """Texts are sometimes objects, and may hold what no database takes."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.replace("\x00", "")


def _ends_of(text: str) -> str:
    """A text of megabytes is searched for a dozen codes, and nothing else is done meanwhile."""
    most = 2 * _ERROR_END
    return text if len(text) <= most else f"{text[:_ERROR_END]} … {text[-_ERROR_END:]}"


def _run_seconds(body: Mapping[str, Any]) -> float | None:
    """predict_time; old records hold negative ones. A run that has ended, was measured and never
    began took none."""
    metrics = body.get("metrics")
    if not isinstance(metrics, Mapping):
        return None
    if "predict_time" in metrics:
        return _number(metrics["predict_time"])
    ended = body.get("status") in TERMINAL and body.get("completed_at")
    return 0.0 if ended and not body.get("started_at") else None


def _measured(metrics: object) -> Mapping[str, float]:
    """The numbers among what the provider measured, as it tells them."""
    if not isinstance(metrics, Mapping):
        return {}
    numbers = ((str(name), _double(value)) for name, value in metrics.items())
    fit = {name: value for name, value in numbers if value is not None and len(name) <= 64}
    return dict(sorted(fit.items())[:MOST_METRICS])


def _double(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
