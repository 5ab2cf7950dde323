"""WebhookEndpointService: where a tenant's events are posted to, and what became of each.

Comes from: a gateway, which has checked the request and names the tenant in the call's metadata.
Goes on: loops/webhook_relay.py publishes what is to be posted.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from mediagen.v1 import webhook_endpoint_service_pb2 as pb
from mediagen.v1 import webhook_pb2
from mediagen.v1.webhook_endpoint_service_pb2_grpc import WebhookEndpointServiceServicer
from store.adapters.delivery_log import DeliveryFilter, DeliveryLog
from store.adapters.endpoints import WebhookEndpoints
from store.adapters.projection import timestamp
from store.adapters.webhook_secrets import WebhookSecrets
from store.domain.deliveries import DeliveryState
from store.domain.errors import DeliveryNotFound, EndpointNotFound

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
TENANT_KEY = "mediagen-tenant"
_NO_JOB = UUID(int=0)


class WebhookEndpointsService(WebhookEndpointServiceServicer):
    """Each method is one use case."""

    def __init__(
        self, endpoints: WebhookEndpoints, log: DeliveryLog, secrets: WebhookSecrets
    ) -> None:
        self._endpoints = endpoints
        self._log = log
        self._secrets = secrets

    async def CreateWebhookEndpoint(
        self, request: pb.CreateWebhookEndpointRequest, context: Any
    ) -> pb.CreateWebhookEndpointResponse:
        """Makes one."""
        made = await self._endpoints.create(tenant_of(context), request.target, request.description)
        return pb.CreateWebhookEndpointResponse(endpoint=made)

    async def GetWebhookEndpoint(
        self, request: pb.GetWebhookEndpointRequest, context: Any
    ) -> pb.GetWebhookEndpointResponse:
        """Reads one."""
        found = await self._endpoints.get(tenant_of(context), _endpoint_id(request.endpoint_id))
        return pb.GetWebhookEndpointResponse(endpoint=found)

    async def ListWebhookEndpoints(
        self, request: pb.ListWebhookEndpointsRequest, context: Any
    ) -> pb.ListWebhookEndpointsResponse:
        """Reads a page."""
        found, token = await self._endpoints.page(
            tenant_of(context),
            _size(request.page_size),
            request.page_token,
            of_jobs=request.include_of_jobs,
        )
        return pb.ListWebhookEndpointsResponse(endpoints=found, next_page_token=token)

    async def UpdateWebhookEndpoint(
        self, request: pb.UpdateWebhookEndpointRequest, context: Any
    ) -> pb.UpdateWebhookEndpointResponse:
        """Changes what is given."""
        changed = await self._endpoints.update(
            tenant_of(context),
            _endpoint_id(request.endpoint_id),
            request.target if request.HasField("target") else None,
            request.description if request.HasField("description") else None,
        )
        return pb.UpdateWebhookEndpointResponse(endpoint=changed)

    async def PauseWebhookEndpoint(
        self, request: pb.PauseWebhookEndpointRequest, context: Any
    ) -> pb.PauseWebhookEndpointResponse:
        """Holds its deliveries."""
        paused = await self._endpoints.pause(tenant_of(context), _endpoint_id(request.endpoint_id))
        return pb.PauseWebhookEndpointResponse(endpoint=paused)

    async def ResumeWebhookEndpoint(
        self, request: pb.ResumeWebhookEndpointRequest, context: Any
    ) -> pb.ResumeWebhookEndpointResponse:
        """Lets them go."""
        resumed = await self._endpoints.resume(
            tenant_of(context), _endpoint_id(request.endpoint_id)
        )
        return pb.ResumeWebhookEndpointResponse(endpoint=resumed)

    async def DeleteWebhookEndpoint(
        self, request: pb.DeleteWebhookEndpointRequest, context: Any
    ) -> pb.DeleteWebhookEndpointResponse:
        """Removes it with its deliveries."""
        await self._endpoints.delete(tenant_of(context), _endpoint_id(request.endpoint_id))
        return pb.DeleteWebhookEndpointResponse()

    async def PingWebhookEndpoint(
        self, request: pb.PingWebhookEndpointRequest, context: Any
    ) -> pb.PingWebhookEndpointResponse:
        """Makes a delivery that tells of nothing."""
        ping = await self._log.ping(tenant_of(context), _endpoint_id(request.endpoint_id))
        return pb.PingWebhookEndpointResponse(delivery=ping)

    async def GetWebhookSecret(
        self, request: pb.GetWebhookSecretRequest, context: Any
    ) -> pb.GetWebhookSecretResponse:
        """Reads it, or makes it."""
        secret = await self._secrets.get(tenant_of(context))
        return pb.GetWebhookSecretResponse(
            key=secret.key,
            previous_key=secret.previous or "",
            previous_expire_time=timestamp(secret.previous_expire_time),
        )

    async def RotateWebhookSecret(
        self, request: pb.RotateWebhookSecretRequest, context: Any
    ) -> pb.RotateWebhookSecretResponse:
        """Makes a new one."""
        secret = await self._secrets.rotate(tenant_of(context))
        return pb.RotateWebhookSecretResponse(
            key=secret.key,
            previous_key=secret.previous or "",
            previous_expire_time=timestamp(secret.previous_expire_time),
        )

    async def ListWebhookDeliveries(
        self, request: pb.ListWebhookDeliveriesRequest, context: Any
    ) -> pb.ListWebhookDeliveriesResponse:
        """Reads a page."""
        states = webhook_pb2.WebhookDelivery.State
        wanted = DeliveryFilter(
            tenant=tenant_of(context),
            endpoint_id=_endpoint_id(request.endpoint_id) if request.endpoint_id else None,
            # What can not be an id is no job's: nothing is about it.
            job_id=(_uuid(request.job_id) or _NO_JOB) if request.job_id else None,
            states=tuple(
                DeliveryState(states.Name(each).removeprefix("STATE_")) for each in request.states
            ),
        )
        found, token = await self._log.page(wanted, _size(request.page_size), request.page_token)
        return pb.ListWebhookDeliveriesResponse(deliveries=found, next_page_token=token)

    async def GetWebhookDelivery(
        self, request: pb.GetWebhookDeliveryRequest, context: Any
    ) -> pb.GetWebhookDeliveryResponse:
        """Reads one with its posts."""
        found = await self._log.get(tenant_of(context), _delivery_id(request.delivery_id))
        return pb.GetWebhookDeliveryResponse(delivery=found)

    async def RedeliverWebhook(
        self, request: pb.RedeliverWebhookRequest, context: Any
    ) -> pb.RedeliverWebhookResponse:
        """Has one posted again."""
        again = await self._log.redeliver(tenant_of(context), _delivery_id(request.delivery_id))
        return pb.RedeliverWebhookResponse(delivery=again)


def tenant_of(context: Any) -> str:
    """The tenant that the gateway asks for. Without one nothing is guessed: the call fails."""
    return str(dict(context.invocation_metadata())[TENANT_KEY])


def _size(asked: int) -> int:
    return min(asked or DEFAULT_PAGE, LARGEST_PAGE)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _endpoint_id(text: str) -> UUID:
    found = _uuid(text)
    if found is None:
        raise EndpointNotFound(text)
    return found


def _delivery_id(text: str) -> UUID:
    found = _uuid(text)
    if found is None:
        raise DeliveryNotFound(text)
    return found
