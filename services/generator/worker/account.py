"""Whose account is it? Asked once at the start, until the provider says so.

The name stands in the ledger beside every paid call, and the reconciler looks under it: it must be
the same for every worker and after a change of token, so it is the provider's word or none.
"""

from __future__ import annotations

import structlog

from generator.adapters.endpoint import ProviderError
from generator.adapters.provider import Account, Provider
from servicekit.connect import backoff
from servicekit.lifecycle import Stop

log = structlog.get_logger()


async def account_of(provider: Provider, stop: Stop) -> Account | None:
    """None if *stop* came first. Without an account nothing can be paid for, and nothing read."""
    for delay in backoff(0.2, 10.0):
        try:
            account = await provider.account()
        except ProviderError as error:
            log.error("account.unknown", error=str(error) or type(error).__name__)
        else:
            log.info("account.known", account=account.name, simulated=account.simulated)
            return account
        if await stop.wait(delay):
            return None
    raise AssertionError("unreachable: backoff never ends")
