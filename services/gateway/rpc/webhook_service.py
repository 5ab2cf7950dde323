"""What does a webhook of Replicate tell? Which prediction a call of ours has made, and its state.

Its signature is checked before anything of it is read. It decides nothing: the worker that holds
the job is told, shows it, and looks itself, as webhooks come late, doubled and out of order.
"""

from __future__ import annotations

import time
from typing import Any

import structlog

from gateway.adapters.webhooks import CallLedger, Signatures
from gateway.domain.news import HandedOn, read
from gateway.rpc.errors import INVALID_REQUEST
from mediagen.v1 import webhook_service_pb2 as pb2
from mediagen.v1.webhook_service_pb2_grpc import WebhookServiceServicer
from servicekit.validation import InvalidRequest, bad_request, violation

log = structlog.get_logger()

MOST_BODY_BYTES = 1024 * 1024
SIGNED_WITH = ("webhook-id", "webhook-timestamp", "webhook-signature")


class WebhookService(WebhookServiceServicer):
    """mediagen.v1.WebhookService. The requests here keep their protos' rules already."""

    def __init__(self, ledger: CallLedger, signatures: Signatures) -> None:
        self._ledger = ledger
        self._signatures = signatures
        self._handed_on = HandedOn()

    async def ReceiveReplicateWebhook(
        self, request: pb2.ReceiveReplicateWebhookRequest, context: Any
    ) -> pb2.ReceiveReplicateWebhookResponse:
        body = request.body.data
        if len(body) > MOST_BODY_BYTES:
            raise _refused("is larger than 1 MiB", "BYTES_MAX_LEN")
        metadata = dict(context.invocation_metadata() or ())
        headers = {name: str(metadata.get(name, "")) for name in SIGNED_WITH}
        self._signatures.check(headers, body)
        news = read(body)
        if news is None:
            raise _refused("holds no prediction", "PREDICTION")
        if not self._handed_on.just_now(request.token, news, time.monotonic()):
            await self._ledger.record_prediction(request.token, news)
            self._handed_on.note(request.token, news, time.monotonic())
            log.info("webhook.taken", prediction_id=news.prediction_id, status=news.status)
        return pb2.ReceiveReplicateWebhookResponse()


def _refused(said: str, rule: str) -> InvalidRequest:
    return bad_request([violation("body", said, rule)], reason=INVALID_REQUEST)
