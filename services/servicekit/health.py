"""Does this process tell the truth about its dependencies?

A check is run, not remembered: each has a deadline, so a hanging database is "not serving" and not
"not known yet". The answers feed grpc.health.v1 and whoever reads `snapshot`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from servicekit.lifecycle import Stop

log = structlog.get_logger()

Check = Callable[[], Awaitable[object]]

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Health:
    """Runs named checks every *every* seconds, all at once, each within *deadline* seconds.

    A check fails by raising, by returning False, or by its deadline. "" and the names in
    *services* are SERVING while every required check passes and the process does not drain.
    """

    def __init__(
        self, services: Sequence[str] = (), *, every: float = 2.0, deadline: float = 1.5
    ) -> None:
        self._services = frozenset(("", *services))
        self._every = every
        self._deadline = deadline
        self._checks: dict[str, Check] = {}
        self._required: set[str] = set()
        self._passed: dict[str, bool] = {}
        self._draining = False
        self._changed = asyncio.Event()

    def add(self, name: str, check: Check, *, required: bool = True) -> None:
        """Adds a check. One that is not *required* shows in the snapshot only."""
        self._checks[name] = check
        self._passed[name] = False
        if required:
            self._required.add(name)

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the grpc.health.v1 service to *server*."""
        health_pb2_grpc.add_HealthServicer_to_server(_Servicer(self), server)

    async def run(self, stop: Stop) -> None:
        """Checks until *stop*, then drains."""
        while not stop.is_set():
            await self.refresh()
            await stop.wait(self._every)
        await self.drain()

    async def refresh(self) -> None:
        """Runs every check once, now."""
        names = list(self._checks)
        results = await asyncio.gather(*(self._run(name) for name in names))
        before, now = self._passed, dict(zip(names, results, strict=True))
        if now != before:
            self._passed = now
            self._tell()

    async def drain(self) -> None:
        """NOT_SERVING from now on, so that callers go elsewhere while open calls end."""
        self._draining = True
        self._tell()

    @property
    def serving(self) -> bool:
        return not self._draining and all(self._passed[name] for name in self._required)

    def snapshot(self) -> dict[str, bool]:
        """Each check's last result; False before its first run."""
        return dict(self._passed)

    async def watch(self) -> AsyncIterator[dict[str, bool]]:
        """The snapshot now, and again after each change; ends when the process drains."""
        while True:
            changed, last = self._changed, self._draining
            yield self.snapshot()
            if last:
                return
            await changed.wait()

    def knows(self, service: str) -> bool:
        return service in self._services

    async def _run(self, name: str) -> bool:
        error: str | None = None
        try:
            async with asyncio.timeout(self._deadline):
                passed = await self._checks[name]() is not False
        except TimeoutError:
            passed, error = False, f"no answer within {self._deadline:g} s"
        except Exception as cause:
            passed, error = False, f"{type(cause).__name__}: {cause}"
        if passed != self._passed[name]:
            if passed:
                log.info("health.recovered", check=name)
            else:
                log.warning("health.failed", check=name, error=error)
        return passed

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class _Servicer(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """grpc.health.v1 over a Health; unlike the library's it does not start as SERVING."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def Check(self, request: Any, context: Any) -> Any:
        if not self._health.knows(request.service):
            await context.abort(grpc.StatusCode.NOT_FOUND, "No service has this name.")
        return self._answer()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        if not self._health.knows(request.service):
            yield health_pb2.HealthCheckResponse(status=_UNKNOWN)
            return
        last = None
        async for _ in self._health.watch():
            answer = self._answer()
            if answer.status != last:
                last = answer.status
                yield answer

    def _answer(self) -> Any:
        return health_pb2.HealthCheckResponse(
            status=_SERVING if self._health.serving else _NOT_SERVING
        )
