"""What does a webhook of Replicate tell? Which prediction a call of ours has made.

Its signature is checked before anything of it is read. How the prediction goes on is not taken from
it: a worker looks itself, since webhooks come late, doubled and out of order.
"""

from __future__ import annotations

import json
import re
from typing import Any

import structlog

from gateway.adapters.webhooks import CallLedger, Signatures
from gateway.rpc.errors import INVALID_REQUEST
from mediagen.v1 import webhook_service_pb2 as pb2
from mediagen.v1.webhook_service_pb2_grpc import WebhookServiceServicer
from servicekit.validation import InvalidRequest, bad_request, violation

log = structlog.get_logger()

MOST_BODY_BYTES = 1024 * 1024
SIGNED_WITH = ("webhook-id", "webhook-timestamp", "webhook-signature")

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class WebhookService(WebhookServiceServicer):
    """mediagen.v1.WebhookService. The requests here keep their protos' rules already."""

    def __init__(self, ledger: CallLedger, signatures: Signatures) -> None:
        self._ledger = ledger
        self._signatures = signatures

    async def ReceiveReplicateWebhook(
        self, request: pb2.ReceiveReplicateWebhookRequest, context: Any
    ) -> pb2.ReceiveReplicateWebhookResponse:
        body = request.body.data
        if len(body) > MOST_BODY_BYTES:
            raise _refused("is larger than 1 MiB", "BYTES_MAX_LEN")
        metadata = dict(context.invocation_metadata() or ())
        headers = {name: str(metadata.get(name, "")) for name in SIGNED_WITH}
        self._signatures.check(headers, body)
        prediction_id, status = _read(body)
        await self._ledger.record_prediction(request.token, prediction_id)
        log.info("webhook.taken", prediction_id=prediction_id, status=status)
        return pb2.ReceiveReplicateWebhookResponse()


def _read(body: bytes) -> tuple[str, str]:
    """(id, status) of the prediction. Raises InvalidRequest."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    identity = told.get("id") if isinstance(told, dict) else None
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise _refused("holds no prediction", "PREDICTION")
    return identity, str(told.get("status"))[:20]


def _refused(said: str, rule: str) -> InvalidRequest:
    return bad_request([violation("body", said, rule)], reason=INVALID_REQUEST)
