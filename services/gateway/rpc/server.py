"""How is the public gRPC server put together?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest
from grpc_reflection.v1alpha import reflection

from gateway.rpc.checks import Further, oversized
from gateway.rpc.errors import DOMAIN, INVALID_REQUEST, STATUSES
from gateway.rpc.generation_service import GenerationService
from gateway.rpc.input_service import InputService
from gateway.rpc.model_service import ModelService
from gateway.rpc.operator_service import OperatorService
from gateway.rpc.pattern_words import PATTERN_WORDS
from gateway.rpc.submitting import Settling
from gateway.rpc.tenants import tenant_of
from gateway.rpc.watches import BytesInterceptor
from gateway.rpc.webhook_endpoint_service import WebhookEndpointService
from gateway.rpc.webhook_service import WebhookService
from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import input_service_pb2 as input_pb2
from mediagen.v1 import model_service_pb2 as model_pb2
from mediagen.v1 import operator_service_pb2 as operator_pb2
from mediagen.v1 import webhook_endpoint_service_pb2 as endpoint_pb2
from mediagen.v1 import webhook_service_pb2 as webhook_pb2
from mediagen.v1.generation_service_pb2_grpc import add_GenerationServiceServicer_to_server
from mediagen.v1.input_service_pb2_grpc import add_InputServiceServicer_to_server
from mediagen.v1.model_service_pb2_grpc import add_ModelServiceServicer_to_server
from mediagen.v1.operator_service_pb2_grpc import add_OperatorServiceServicer_to_server
from mediagen.v1.webhook_endpoint_service_pb2_grpc import (
    add_WebhookEndpointServiceServicer_to_server,
)
from mediagen.v1.webhook_service_pb2_grpc import add_WebhookServiceServicer_to_server
from servicekit import server, validation
from servicekit.health import Health
from servicekit.lifecycle import Stop
from servicekit.rpc import StatusInterceptor
from servicekit.validation import ValidationInterceptor

SERVICE = pb2.DESCRIPTOR.services_by_name["GenerationService"].full_name
OPERATOR_SERVICE = operator_pb2.DESCRIPTOR.services_by_name["OperatorService"].full_name
MODEL_SERVICE = model_pb2.DESCRIPTOR.services_by_name["ModelService"].full_name
INPUT_SERVICE = input_pb2.DESCRIPTOR.services_by_name["InputService"].full_name
WEBHOOK_SERVICE = webhook_pb2.DESCRIPTOR.services_by_name["WebhookService"].full_name
ENDPOINT_SERVICE = endpoint_pb2.DESCRIPTOR.services_by_name["WebhookEndpointService"].full_name
SERVICES = (
    SERVICE,
    MODEL_SERVICE,
    INPUT_SERVICE,
    OPERATOR_SERVICE,
    ENDPOINT_SERVICE,
    WEBHOOK_SERVICE,
)


def build(
    service: GenerationService,
    models: ModelService,
    inputs: InputService,
    operator: OperatorService,
    endpoints: WebhookEndpointService,
    webhooks: WebhookService,
    health: Health,
    further: Further,
    settling: Settling,
) -> grpc.aio.Server:
    """The public services, grpc.health.v1, and reflection of these and no more."""

    async def beside(request: Message, metadata: Any) -> Sequence[BadRequest.FieldViolation]:
        return await settling.beside(tenant_of(metadata), request)

    built = server.build(
        [
            StatusInterceptor(DOMAIN, STATUSES),
            ValidationInterceptor(
                DOMAIN,
                INVALID_REQUEST,
                first=oversized,
                also=further,
                beside=beside,
                pattern_words=PATTERN_WORDS,
            ),
            BytesInterceptor(),
        ],
    )
    add_GenerationServiceServicer_to_server(service, built)
    add_ModelServiceServicer_to_server(models, built)
    add_InputServiceServicer_to_server(inputs, built)
    add_OperatorServiceServicer_to_server(operator, built)
    add_WebhookEndpointServiceServicer_to_server(endpoints, built)
    add_WebhookServiceServicer_to_server(webhooks, built)
    health.register(built)
    reflection.enable_server_reflection(
        (*SERVICES, "grpc.health.v1.Health", reflection.SERVICE_NAME), built
    )
    validation.warm(
        pb2.SubmitJobRequest(),
        pb2.GetJobRequest(),
        pb2.ListJobsRequest(),
        pb2.CancelJobRequest(),
        pb2.WatchJobRequest(),
        pb2.WatchJobEventsRequest(),
        pb2.WatchJobsRequest(),
        pb2.WatchJobsEventsRequest(),
        pb2.DownloadArtifactRequest(),
        pb2.DownloadPreviewRequest(),
        pb2.GetHealthRequest(),
        model_pb2.ListModelsRequest(),
        model_pb2.GetModelRequest(),
        model_pb2.DownloadModelCoverRequest(),
        input_pb2.UploadInputRequest(),
        input_pb2.GetUploadRequest(),
        input_pb2.DownloadUploadRequest(),
        operator_pb2.GetOverviewRequest(),
        operator_pb2.GetStatisticsRequest(),
        operator_pb2.SyncModelsRequest(),
        operator_pb2.ListDeadLettersRequest(),
        operator_pb2.GetDeadLetterRequest(),
        operator_pb2.RedriveDeadLettersRequest(),
        operator_pb2.DiscardDeadLettersRequest(),
        endpoint_pb2.CreateWebhookEndpointRequest(),
        endpoint_pb2.GetWebhookEndpointRequest(),
        endpoint_pb2.ListWebhookEndpointsRequest(),
        endpoint_pb2.UpdateWebhookEndpointRequest(),
        endpoint_pb2.PauseWebhookEndpointRequest(),
        endpoint_pb2.ResumeWebhookEndpointRequest(),
        endpoint_pb2.DeleteWebhookEndpointRequest(),
        endpoint_pb2.PingWebhookEndpointRequest(),
        endpoint_pb2.ListWebhookDeliveriesRequest(),
        endpoint_pb2.GetWebhookDeliveryRequest(),
        endpoint_pb2.RedeliverWebhookRequest(),
        webhook_pb2.ReceiveReplicateWebhookRequest(),
    )
    return built


class Serving:
    """A server that stops when told to, not with the process: HTTP's last requests call it."""

    def __init__(self, built: grpc.aio.Server, address: str) -> None:
        self._built = built
        self._address = address
        self._stop = Stop()
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        # Set when new calls are no longer taken: the streams that are open may be ended.
        self.closed = Stop()

    async def run(self, grace: float) -> None:
        """Serves until `stop`; calls still open then get *grace* seconds."""
        try:
            await server.serve(
                self._built,
                self._address,
                self._stop,
                grace=grace,
                on_listening=self._port.set_result,
                on_closed=self.closed.set,
            )
        finally:
            self.closed.set()

    async def listening(self, stop: Stop) -> int | None:
        """The real port once it listens; None if *stop* came first, as when it can not."""
        stopping = asyncio.create_task(stop.wait())
        either: set[asyncio.Future[Any]] = {self._port, stopping}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        return self._port.result() if self._port.done() else None

    def stop(self) -> None:
        self._stop.set()
