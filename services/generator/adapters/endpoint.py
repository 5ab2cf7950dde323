"""Where is the provider, and how is it addressed? One base URL, one token, two clients.

Errors of the road (no answer worth classifying) are ProviderUnreachable; refusals are
ProviderRefused with the problem as read.
"""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from generator.domain import answers
from generator.domain.answers import Problem, problem

# Anything longer is no error that a person reads.
LONGEST_PROBLEM = 64 * 1024


class ProviderError(Exception):
    """Base of what goes wrong between the provider and us.

    * ProviderError
      - ProviderUnreachable
        - AnswerTooLarge (in reading.py)
      - ProviderRefused
    """


class ProviderUnreachable(ProviderError):
    """No answer, or none that can be read."""


class ProviderRefused(ProviderError):
    """An answer other than 2xx."""

    def __init__(self, refused: Problem) -> None:
        super().__init__(f"{refused.status} {refused.title or refused.detail[:200]}")
        self.problem = refused


def base_url(configured: str) -> str:
    """The API's base with /v1, given with or without it."""
    trimmed = configured.rstrip("/")
    return trimmed if trimmed.endswith("/v1") else f"{trimmed}/v1"


def headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "User-Agent": "mediagen/0.1",
        "Accept": "application/json",
        # A few packed bytes can be a flood.
        "Accept-Encoding": "identity",
    }


def uses_proxy(url: str) -> bool:
    """The environment's proxy serves the world, not this machine."""
    return not is_loopback(urlsplit(url).hostname or "")


@cache
def tls() -> ssl.SSLContext:
    """One for all clients: reading the certificates takes 50 ms, and they stay in memory."""
    return httpx.create_ssl_context()


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def decoded(response: httpx.Response) -> Any:
    """The JSON body of a 2xx. Raises ProviderRefused, or ProviderUnreachable for anything else."""
    if not response.is_success:
        raise ProviderRefused(problem_of(response))
    try:
        return answers.decoded(response.content)
    except (ValueError, RecursionError) as error:
        raise ProviderUnreachable("The answer is not JSON.") from error


def problem_of(response: httpx.Response) -> Problem:
    found = {key.lower(): value for key, value in response.headers.items()}
    body = response.content[:LONGEST_PROBLEM]
    return problem(response.status_code, found, body, datetime.now(UTC))
