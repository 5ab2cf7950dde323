"""Is a webhook Replicate's? And how is the store told what it says?

Signed as Standard Webhooks has it: HMAC-SHA256 over id, timestamp and the body as it came, under
one of our secrets, and not older than five minutes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

import grpc
import structlog
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gateway.adapters.answers import answered
from gateway.domain.errors import CallNotFound, PredictionTaken, SignatureInvalid
from gateway.domain.news import News
from mediagen.generator.v1.messages_pb2 import PredictionNews
from mediagen.store.v1 import attempt_ledger_service_pb2 as ledger_pb2
from mediagen.store.v1 import attempt_ledger_service_pb2_grpc as ledger_grpc
from servicekit import failpoints

log = structlog.get_logger()

# One that is not of this form would end the library's look at those that are.
_SIGNATURE = re.compile(r"v1,[A-Za-z0-9+/]+={0,2}")
_MOST_SIGNATURES = 20


class Signatures:
    """What was signed with one of *secrets*; with none of them nothing is."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._verifiers = [Webhook(secret) for secret in secrets]

    def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raises SignatureInvalid. *headers*: by lower-case names."""
        told = headers.get("webhook-signature", "").split(" ")[:_MOST_SIGNATURES]
        known = " ".join(each for each in told if _SIGNATURE.fullmatch(each))
        given = {**headers, "webhook-signature": known}
        for verifier in self._verifiers:
            try:
                verifier.verify(body, given, json_parse=False)
            except (WebhookVerificationError, ValueError):
                continue
            return
        log.warning("webhook.refused", signatures=len(told), secrets=len(self._verifiers))
        raise SignatureInvalid


class CallLedger:
    """The store's ledger of paid calls; *channel* is the one of `store.open_channel`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        stub = ledger_grpc.AttemptLedgerServiceStub(channel)
        self._stub = cast("ledger_grpc.AttemptLedgerServiceAsyncStub", stub)

    async def record_prediction(self, submit_token: str, news: News) -> None:
        """The call of *submit_token* has made this prediction, and that is how it is. Again is the
        same as once."""
        wanted = ledger_pb2.RecordPredictionRequest(
            submit_token=submit_token,
            prediction_id=news.prediction_id,
            by_webhook=True,
            news=PredictionNews(
                prediction_id=news.prediction_id,
                status=news.status,
                log_length=news.log_length,
                log_end=news.log_end,
            ),
        )
        try:
            with failpoints.around("record_prediction"):
                await answered(self._stub.RecordPrediction(wanted))
        except grpc.aio.AioRpcError as error:
            match error.code():
                case grpc.StatusCode.FAILED_PRECONDITION:
                    raise CallNotFound from None
                case grpc.StatusCode.ALREADY_EXISTS:
                    raise PredictionTaken from None
            raise
