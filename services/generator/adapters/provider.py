"""How are predictions read, listed and canceled? All of it is free of charge and may be repeated.

A GET is tried again in place on trouble, a few times; whoever polls goes on for ever by itself.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from generator.adapters.endpoint import (
    ProviderUnreachable,
    base_url,
    decoded,
    headers,
    tls,
    uses_proxy,
)
from generator.adapters.reading import LARGEST_ANSWER, AnswerTooLarge, exchange
from generator.domain import answers
from generator.domain.answers import Prediction
from servicekit import failpoints

_TIMEOUT = 10.0
_TRIES = 3
_WORTH_REPEATING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
# 40 000 predictions: an hour at the account's full rate.
_MOST_PAGES = 400
# A hundred predictions, each perhaps with files as data: URIs.
_LARGEST_PAGE = 4 * LARGEST_ANSWER
# Its schema is some ten kilobytes; its example may hold files.
_LARGEST_MODEL = LARGEST_ANSWER // 8


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token it is."""

    name: str  #: stable, without its secret
    simulated: bool  #: nothing is paid for, as a simulator says of itself


@dataclass(frozen=True, slots=True)
class Listing:
    """Every prediction since a time, complete, and how far the provider's clock is ahead."""

    predictions: tuple[Prediction, ...]
    skew: timedelta


class Provider:
    """The provider's API but for the paid call. Safe for hundreds of concurrent users: looks at
    running predictions have a lane of their own, in which nothing else waits."""

    def __init__(self, url: str, token: str, *, connections: int = 8) -> None:
        self._base = base_url(url)
        self._looks = _Lane(url, token, connections)
        self._others = _Lane(url, token, max(2, connections // 2))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._looks.client.aclose()
        await self._others.client.aclose()

    async def prediction(self, prediction_id: str) -> Prediction:
        """As of now; one try. Raises ProviderError."""
        url = f"{self._base}/predictions/{quote(prediction_id)}"
        answer = await self._looks.send("get_prediction", "GET", url)
        return _asked_for(prediction_id, decoded(answer))

    async def cancel(self, prediction_id: str) -> Prediction:
        """Asks for the end; a finished prediction stays as it is. One try. Raises ProviderError."""
        url = f"{self._base}/predictions/{quote(prediction_id)}/cancel"
        answer = await self._others.send("cancel_prediction", "POST", url)
        return _asked_for(prediction_id, decoded(answer))

    async def account(self) -> Account:
        """Whose token it is. Raises ProviderError."""
        url = f"{self._base}/account"
        body = decoded(await self._others.send("get_account", "GET", url))
        name = body.get("username") if isinstance(body, dict) else None
        if not isinstance(name, str) or not name:
            raise ProviderUnreachable("The account has no name.")
        return Account(f"{name}@{urlsplit(self._base).netloc}", body.get("simulated") is True)

    async def model(self, owner: str, name: str, version: str = "") -> Any:
        """The model's JSON, or that of one version. Raises ProviderError."""
        url = f"{self._base}/models/{quote(owner)}/{quote(name)}"
        url = f"{url}/versions/{quote(version)}" if version else url
        return decoded(await self._get("get_model", url, _LARGEST_MODEL))

    async def listing(self, since: datetime) -> Listing:
        """All predictions made since *since* (by the provider's clock), or ProviderError: a part
        of the list is never taken for the whole."""
        stamp = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        url: str | None = str(
            httpx.URL(f"{self._base}/predictions", params={"created_after": stamp})
        )
        found: dict[str, Prediction] = {}
        skew = timedelta()
        for number in range(_MOST_PAGES):
            began = datetime.now(UTC)
            response = await self._get("list_predictions", url or "", _LARGEST_PAGE)
            if number == 0:
                skew = _skew(response, began)
            page = decoded(response)
            results = page.get("results") if isinstance(page, dict) else None
            if not isinstance(results, list):
                raise ProviderUnreachable("A page of the list has no results.")
            for each in results:
                # Without what the reconciler has no use for: an hour's outputs would fill memory.
                shown = replace(_prediction(each), output=None, logs="", error="")
                found[shown.id] = shown
            url = self._next(page)
            if url is None:
                return Listing(tuple(found.values()), skew)
        raise ProviderUnreachable(f"The list is longer than {_MOST_PAGES} pages.")

    def _next(self, page: dict[str, Any]) -> str | None:
        following = page.get("next")
        if not following:
            return None
        # The token goes along: only to the API itself.
        wanted, given = urlsplit(self._base), urlsplit(str(following))
        if (given.scheme, given.netloc) != (wanted.scheme, wanted.netloc):
            raise ProviderUnreachable("The list goes on at a foreign host.")
        return str(following)

    async def _get(self, step: str, url: str, most: int = LARGEST_ANSWER) -> httpx.Response:
        """Tried again in place on trouble; the last answer is returned as it is."""
        for number in range(1, _TRIES + 1):
            try:
                response = await self._others.send(step, "GET", url, most)
            except ProviderUnreachable as error:
                if number == _TRIES or isinstance(error, AnswerTooLarge):
                    raise
            else:
                if response.status_code not in _WORTH_REPEATING or number == _TRIES:
                    return response
            await asyncio.sleep(0.5 * 2**number * random.uniform(0.75, 1.25))
        raise AssertionError("unreachable: the last try returns or raises")


class _Lane:
    """Connections of their own, so that one kind of request does not wait for another."""

    def __init__(self, url: str, token: str, connections: int) -> None:
        # Few connections, and waiting before the pool: its work per request grows with the square
        # of both (measured on httpcore 1.0.9: 32 cost 9 ms a request, 8 cost 3).
        self._turns = asyncio.Semaphore(connections)
        self.client = httpx.AsyncClient(
            headers=headers(token),
            follow_redirects=False,
            verify=tls(),
            trust_env=uses_proxy(url),
            timeout=httpx.Timeout(_TIMEOUT, connect=5.0, pool=30.0),
            limits=httpx.Limits(
                max_connections=connections,
                max_keepalive_connections=connections,
                keepalive_expiry=15.0,
            ),
        )

    async def send(
        self, step: str, method: str, url: str, most: int = LARGEST_ANSWER
    ) -> httpx.Response:
        """One try of *step* (generator/failpoints.py); the wait for a turn counts. Raises
        ProviderUnreachable."""
        try:
            async with asyncio.timeout(2 * _TIMEOUT), self._turns:
                with failpoints.around(step):
                    return await exchange(self.client, method, url, most=most)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            raise ProviderUnreachable(type(error).__name__) from error


def _prediction(body: object) -> Prediction:
    found = answers.prediction(body)
    if found is None:
        raise ProviderUnreachable("The answer holds no prediction.")
    return found


def _asked_for(prediction_id: str, body: object) -> Prediction:
    """Another's output, out of some cache, must not become this job's."""
    found = _prediction(body)
    if found.id != prediction_id:
        raise ProviderUnreachable("The answer is about another prediction.")
    return found


def _skew(response: httpx.Response, began: datetime) -> timedelta:
    """The Date header has whole seconds: half of one is the best guess for the rest."""
    told = answers.http_date(response.headers.get("date", ""))
    if told is None:
        return timedelta()
    middle = began + (datetime.now(UTC) - began) / 2
    return told + timedelta(seconds=0.5) - middle
