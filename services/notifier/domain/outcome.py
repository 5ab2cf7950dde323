"""What came of a post? Each way it can end, in words for the owner of the endpoint.

Nothing of the answer but its status and Retry-After is told on: an endpoint that leads to somebody
else's server must not be a way to read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mediagen.store.v1 import delivery_ledger_service_pb2 as pb

Error = pb.DeliveryError
#: No endpoint sends us away for longer than a delivery lives.
LONGEST_RETRY_AFTER = 3 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a post ended. *error* unset: the endpoint took it."""

    error: Error.ValueType
    message: str = ""
    status: int = 0
    retry_after: float | None = None

    @property
    def taken(self) -> bool:
        return self.error == pb.DELIVERY_ERROR_UNSPECIFIED


def answered(status: int, headers: Iterable[tuple[bytes, bytes]], now: datetime) -> Outcome:
    """The endpoint answered with *status*."""
    if 200 <= status < 300:
        return Outcome(pb.DELIVERY_ERROR_UNSPECIFIED, status=status)
    more = " Redirects are not followed." if 300 <= status < 400 else ""
    told = next((value for name, value in headers if name.lower() == b"retry-after"), b"")
    return Outcome(
        pb.DELIVERY_ERROR_STATUS,
        f"The endpoint answered {status}.{more}",
        status,
        retry_after(told.decode("latin-1"), now),
    )


def retry_after(told: str, now: datetime) -> float | None:
    """Seconds from *now*; None where nothing that can be read was said."""
    text = told.strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError):
        return None
    seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def timed_out(seconds: float) -> Outcome:
    return Outcome(pb.DELIVERY_ERROR_TIMEOUT, f"There was no answer within {seconds:g} s.")


def unconnected(message: str) -> Outcome:
    return Outcome(pb.DELIVERY_ERROR_CONNECTION, message)


def untrusted(message: str) -> Outcome:
    return Outcome(pb.DELIVERY_ERROR_TLS, message)


def forbidden(message: str) -> Outcome:
    return Outcome(pb.DELIVERY_ERROR_FORBIDDEN, message)


def not_sent(message: str, retry_after: float | None = None) -> Outcome:
    """It says nothing about the endpoint, so it does not count."""
    return Outcome(pb.DELIVERY_ERROR_NOT_SENT, message, retry_after=retry_after)
