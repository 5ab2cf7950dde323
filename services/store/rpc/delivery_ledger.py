"""DeliveryLedgerService: what the notifier does with a delivery.

Comes from: the notifier, which holds nothing and decides nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from mediagen.store.v1 import delivery_ledger_service_pb2 as pb
from mediagen.store.v1.delivery_ledger_service_pb2_grpc import DeliveryLedgerServiceServicer
from store.adapters.deliveries import Deliveries
from store.adapters.metrics import PostCounter
from store.adapters.projection import duration
from store.domain.deliveries import HORIZON, POST_TIMEOUT, Outcome, Post
from store.domain.failure import clean_text

MESSAGE_LIMIT = 300  #: characters of why a post was not taken
_LONGEST_POST = timedelta(hours=1)


class DeliveryLedger(DeliveryLedgerServiceServicer):
    """Each method is one use case."""

    def __init__(self, deliveries: Deliveries, posts: PostCounter) -> None:
        self._deliveries = deliveries
        self._posts = posts

    async def ClaimDelivery(
        self, request: pb.ClaimDeliveryRequest, context: Any
    ) -> pb.ClaimDeliveryResponse:
        """Hands out what is to be posted."""
        delivery_id = _id(request.delivery_id)
        parcel = None
        if delivery_id is not None and request.claim_token:
            parcel = await self._deliveries.claim(
                delivery_id, request.dispatch, request.claim_token
            )
        if parcel is None:
            return pb.ClaimDeliveryResponse(refused=True)
        return pb.ClaimDeliveryResponse(
            url=parcel.url,
            headers=parcel.headers,
            body=parcel.body,
            timeout=duration(POST_TIMEOUT),
        )

    async def RecordDelivery(
        self, request: pb.RecordDeliveryRequest, context: Any
    ) -> pb.RecordDeliveryResponse:
        """Notes what came of a post."""
        delivery_id, post = _id(request.delivery_id), post_of(request)
        if delivery_id is not None and await self._deliveries.record(
            delivery_id, request.claim_token, post
        ):
            self._posts.count(post.outcome)
        return pb.RecordDeliveryResponse()


def post_of(request: pb.RecordDeliveryRequest) -> Post:
    """The post that a notifier reports. An error of a newer one counts as the connection's."""
    outcome = Outcome.TAKEN
    if request.error != pb.DELIVERY_ERROR_UNSPECIFIED:
        value = pb.DeliveryError.DESCRIPTOR.values_by_number.get(request.error)
        name = value.name.removeprefix("DELIVERY_ERROR_") if value is not None else ""
        outcome = Outcome(name) if name in Outcome.__members__ else Outcome.CONNECTION
    retry_after: timedelta | None = None
    if request.HasField("retry_after"):
        retry_after = max(timedelta(), min(request.retry_after.ToTimedelta(), HORIZON))
    took = request.duration.ToTimedelta()
    message = "" if outcome is Outcome.TAKEN else request.message or _words(outcome, request)
    return Post(
        outcome=outcome,
        status_code=request.status_code if 100 <= request.status_code <= 999 else 0,
        message=clean_text(message, MESSAGE_LIMIT),
        duration=max(timedelta(), min(took, _LONGEST_POST)),
        retry_after=retry_after,
    )


def _words(outcome: Outcome, request: pb.RecordDeliveryRequest) -> str:
    if outcome is Outcome.STATUS:
        return f"The endpoint answered {request.status_code}."
    return "The endpoint did not take it."


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
