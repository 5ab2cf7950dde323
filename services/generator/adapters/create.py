"""How is the paid call made, so that afterwards it is known whether it may have been made?

permit ──▶ connect ──▶ send-by check ──▶ headers ──▶ send-by check ──▶ body ──▶ answer
           └ nothing left us: NotCreated(definite) ┘ └ bytes left us: Ambiguous, unless
                                                       the answer is an id or a definite refusal
The client is used for nothing else: HTTP/1.1, no retries, connections kept for 4 s at most, since a
stale one makes an answer that never comes. httpx's timeouts are per read, so one clock is over all.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx
import structlog

from generator.adapters.endpoint import (
    ProviderUnreachable,
    base_url,
    headers,
    problem_of,
    tls,
    uses_proxy,
)
from generator.adapters.reading import exchange
from generator.domain import answers, webhooks
from generator.domain.answers import Prediction
from generator.domain.classify import create_refused, is_definite, refusal
from generator.domain.failure_table import TOO_LATE, UNREACHED
from generator.domain.redaction import NOTHING, Redaction
from mediagen.store.v1.attempt_ledger_service_pb2 import ProviderFailure
from servicekit import failpoints

log = structlog.get_logger()

POST_TIMEOUT = 20.0
_KEEPALIVE = 4.0
_TROUBLE = (httpx.HTTPError, httpx.InvalidURL, ProviderUnreachable, TimeoutError, OSError)
_SENT = "http11.send_request_body.complete"
_SENDING = ("http11.send_request_headers.started", "http11.send_request_body.started")


@dataclass(frozen=True, slots=True)
class Created:
    """The provider answered with an id."""

    prediction: Prediction


@dataclass(frozen=True, slots=True)
class NotCreated:
    """Nothing was created, beyond doubt."""

    failure: ProviderFailure


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It may have been created. Only the provider's listing can tell."""

    why: str


Outcome = Created | NotCreated | Ambiguous


class _SendByPassed(Exception):
    """The permit ran out before the request was complete."""


class _Sending:
    """Watches one request: raises before bytes leave too late, and knows whether any left."""

    def __init__(self, send_by: float, clock: Callable[[], float]) -> None:
        self._send_by = send_by
        self._clock = clock
        self.began = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event == _SENT:
            failpoints.during("create_prediction")
        if event not in _SENDING:
            return
        # A request with headers but without its body creates nothing, so that both checks are
        # definite. HTTP/1.1 only: an HTTP/2 client would bring other events, and none of this.
        if self._clock() >= self._send_by:
            raise _SendByPassed
        self.began = True


class CreateClient:
    """POST /v1/predictions, once per call."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = POST_TIMEOUT,
        webhook_url: str = "",
        connections: int = 32,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._url = f"{base_url(url)}/predictions"
        self._timeout = timeout
        self._webhook_url = webhook_url
        self._client = httpx.AsyncClient(
            headers=headers(token),
            http1=True,
            http2=False,
            follow_redirects=False,
            verify=tls(),
            trust_env=uses_proxy(url),
            timeout=httpx.Timeout(timeout, connect=5.0, pool=5.0),
            limits=httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=_KEEPALIVE,
            ),
        )

    @property
    def timeout(self) -> float:
        """Seconds that a call may take in all."""
        return self._timeout

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def create(
        self,
        version: str,
        given: Mapping[str, Any],
        *,
        cancel_after: float,
        send_by: float,
        submit_token: str = "",
        redacted: Redaction = NOTHING,
    ) -> Outcome:
        """Makes the call. *send_by* on the client's clock; *cancel_after* in seconds.

        *submit_token* names the call in its webhook's URL, if there is a public one. What the
        provider says of it is *redacted*.

        Never raises for what the provider does; a cancelled task may have paid.
        """
        sending = _Sending(send_by, self._clock)
        asked: dict[str, Any] = {"version": version, "input": given}
        if self._webhook_url and submit_token:
            asked["webhook"] = webhooks.address(self._webhook_url, submit_token)
            asked["webhook_events_filter"] = list(webhooks.EVENTS)
        body = json.dumps(asked, ensure_ascii=False).encode()
        try:
            async with asyncio.timeout(self._timeout):
                with failpoints.around("create_prediction"):
                    response = await exchange(
                        self._client,
                        "POST",
                        self._url,
                        content=body,
                        headers={
                            "Content-Type": "application/json",
                            "Cancel-After": str(max(5, min(int(cancel_after), 86_400))),
                        },
                        extensions={"trace": sending.trace},
                    )
        except _SendByPassed:
            return NotCreated(refusal(TOO_LATE))
        except _TROUBLE as error:
            if sending.began:
                return Ambiguous(type(error).__name__)
            log.warning("create.unreached", error=type(error).__name__)
            return NotCreated(refusal(UNREACHED))
        return _outcome(response, redacted)


def _outcome(response: httpx.Response, redacted: Redaction) -> Outcome:
    if response.is_success:
        try:
            found = answers.prediction(answers.decoded(response.content))
        except (ValueError, RecursionError):
            found = None
        if found is None:
            return Ambiguous(f"{response.status_code} without an id")
        return Created(found)
    if is_definite(response.status_code):
        problem = redacted.problem(problem_of(response))
        log.warning(
            "create.refused", status=problem.status, title=problem.title,
            detail=problem.detail[:300], ray=response.headers.get("cf-ray"),
        )  # fmt: skip
        return NotCreated(create_refused(problem))
    return Ambiguous(str(response.status_code))
