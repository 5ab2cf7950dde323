"""How does one event get to one URL? A message comes in; what goes out is a fact in the ledger.

    claim ─▶ ack ─▶ post ─▶ record
A death anywhere behind the claim lets it run out, and the store has the delivery posted again, with
the same webhook-id: at least once, never lost.
"""

from __future__ import annotations

import random
import secrets
import time
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError

from jobqueue.delivery import Delivery
from mediagen.notifier.v1.messages_pb2 import DeliveryMessage
from mediagen.store.v1 import delivery_ledger_service_pb2 as pb
from notifier.adapters.ledger import Ledger, LedgerError, LedgerUnreachable
from notifier.adapters.posting import Poster
from notifier.domain.outcome import Outcome, not_sent, unconnected
from notifier.worker.turns import HostBusy, Turns
from servicekit.lifecycle import Stop

log = structlog.get_logger()


class Worker:
    """Posts what is delivered. `handle` is called in a task of its own for each message."""

    def __init__(self, ledger: Ledger, poster: Poster, turns: Turns, stop: Stop) -> None:
        self._ledger = ledger
        self._poster = poster
        self._turns = turns
        self._stop = stop

    async def handle(self, delivery: Delivery) -> None:
        try:
            message = DeliveryMessage.FromString(delivery.body)
        except DecodeError:
            message = DeliveryMessage()
        if not message.delivery_id:
            log.error("message.unreadable", message_id=delivery.message_id)
            await delivery.reject()
            return
        structlog.contextvars.bind_contextvars(delivery_id=message.delivery_id)
        request = pb.ClaimDeliveryRequest(
            delivery_id=message.delivery_id,
            dispatch=message.dispatch,
            claim_token=secrets.token_hex(16),
        )
        claimed = await self._claimed(request, delivery)
        if claimed is None:
            return
        # At once: from here on the claim covers our death, not the broker.
        await delivery.ack()
        began = time.monotonic()
        outcome = await self._outcome(claimed)
        await self._record(request, outcome, time.monotonic() - began)

    async def _claimed(
        self, request: pb.ClaimDeliveryRequest, delivery: Delivery
    ) -> pb.ClaimDeliveryResponse | None:
        try:
            answer = await self._ledger.claim(request)
        except LedgerUnreachable as error:
            # Left unsettled: the consumer puts it back after a pause.
            log.warning("webhook.claim_failed", error=str(error))
            return None
        except LedgerError as error:
            log.error("webhook.claim_refused", error=str(error))
            await delivery.reject()
            return None
        if answer.refused:
            log.info("webhook.not_claimed")
            await delivery.ack()
            return None
        return answer

    async def _outcome(self, claimed: pb.ClaimDeliveryResponse) -> Outcome:
        if self._stop.is_set():
            return not_sent("The notifier was stopping.")
        timeout = claimed.timeout.ToTimedelta().total_seconds()
        try:
            async with self._turns.turn(_host(claimed.url)):
                return await self._poster.post(
                    claimed.url, dict(claimed.headers), claimed.body, timeout
                )
        except HostBusy as busy:
            pause = busy.pause * random.uniform(0.75, 1.25)
            return not_sent("Other posts to the host took too long.", pause)
        except Exception:
            log.exception("webhook.crashed")
            return unconnected("The post could not be made.")

    async def _record(
        self, claim: pb.ClaimDeliveryRequest, outcome: Outcome, seconds: float
    ) -> None:
        request = pb.RecordDeliveryRequest(
            delivery_id=claim.delivery_id,
            claim_token=claim.claim_token,
            error=outcome.error,
            status_code=outcome.status,
            message=outcome.message,
            duration=_duration(seconds),
        )
        if outcome.retry_after is not None:
            request.retry_after.CopyFrom(_duration(outcome.retry_after))
        log.info(
            "webhook.posted",
            outcome="taken" if outcome.taken else pb.DeliveryError.Name(outcome.error),
            status=outcome.status, seconds=round(seconds, 3),
        )  # fmt: skip
        try:
            await self._ledger.record(request)
        except LedgerError as error:
            # The claim then runs out, and it is posted once more.
            log.error("webhook.record_failed", error=str(error))


def _host(url: str) -> str:
    """For the line to stand in; nobody is called by it."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _duration(seconds: float) -> Duration:
    found = Duration()
    found.FromTimedelta(timedelta(seconds=seconds))
    return found
