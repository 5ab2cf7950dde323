"""How is the service, part by part?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import grpc
import structlog

from gateway.domain.errors import GatewayError
from mediagen.store.v1 import job_store_service_pb2 as store_pb2
from mediagen.v1.generation_service_pb2 import ComponentHealth, GetHealthResponse

log = structlog.get_logger()

SERVING, NOT_SERVING = "SERVING", "NOT_SERVING"
_NOT_KNOWN = "Not known: the store can not be asked."
_NOT_COUNTED = "Not known: the database does not answer."


class HealthSource(Protocol):
    """What is asked of the store."""

    async def get_health(self) -> store_pb2.GetHealthResponse: ...


class HealthView:
    """GetHealth never fails: what can not be asked is not serving."""

    def __init__(
        self, store: HealthSource, draining: Callable[[], bool], hears: Callable[[], bool]
    ) -> None:
        self._store = store
        self._draining = draining
        self._hears = hears

    async def look(self) -> GetHealthResponse:
        """SERVING as a whole if a job submitted now would be accepted.

        That needs a gateway, a store and its database. With the rest down a job waits, and its
        watchers see it wait.
        """
        try:
            behind = await self._store.get_health()
        except (GatewayError, grpc.aio.AioRpcError) as error:
            log.warning("health.store_unreached", error=str(error))
            behind = None
        gateway = self._gateway()
        if behind is None:
            parts = [_part("store", False, "It does not answer.")]
            parts += [
                _part(name, False, _NOT_KNOWN)
                for name in ("database", "broker", "provider", "workers", "dead_letters")
            ]
        else:
            parts = _behind(behind)
        serving = not self._draining() and behind is not None and behind.database
        return GetHealthResponse(
            status=_word(serving),
            components=[gateway, *parts],
            simulated=behind is not None and behind.simulated,
        )

    def _gateway(self) -> ComponentHealth:
        if self._draining():
            return _part("gateway", False, "It is stopping; others go on.")
        if not self._hears():
            return _part("gateway", True, "Without the broker: changes are seen once a second.")
        return _part("gateway", True)


def _behind(health: store_pb2.GetHealthResponse) -> list[ComponentHealth]:
    parts = [
        _part("store", True),
        _part("database", health.database, "" if health.database else "It does not answer."),
        _part(
            "broker",
            health.broker,
            "" if health.broker else "It takes no messages; jobs are kept and wait.",
        ),
    ]
    if not health.database:
        counted = ("provider", "workers", "dead_letters")
        return [*parts, *(_part(name, False, _NOT_COUNTED) for name in counted)]
    provider = "" if health.provider else health.provider_message or "The account is shut."
    load = (
        f"{_many(health.workers, 'worker')}, {health.running_jobs} of "
        f"{_many(health.slots, 'slot')} busy, {_many(health.waiting_jobs, 'job')} waiting."
    )
    return [
        *parts,
        _part("provider", health.provider, provider),
        _part(
            "workers",
            health.workers > 0,
            load if health.workers else "None was heard of lately; jobs are kept and wait.",
        ),
        # They keep no job from being taken.
        _part("dead_letters", True, _undecided(health.parked_jobs, health.dead_jobs)),
    ]


def _undecided(parked: int, dead: int) -> str:
    if not parked and not dead:
        return ""
    return f"Jobs that an operator is to decide about: {parked} parked, {dead} dead."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _part(name: str, serving: bool, message: str = "") -> ComponentHealth:
    return ComponentHealth(name=name, status=_word(serving), message=message)


def _word(serving: bool) -> str:
    return SERVING if serving else NOT_SERVING
