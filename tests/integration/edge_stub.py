"""What stands behind the edge in its tests, and how is the edge started?

A gateway of a few lines: gRPC and plain HTTP on two free ports, whose answers are chosen by the
job id. The edge is the real one: `python -m edge` with the rendered configuration.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Protocol

import grpc
import httpx
import uvicorn
from google.api import httpbody_pb2
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import HealthServicer
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from mediagen.v1 import generation_service_pb2 as service_pb2
from mediagen.v1 import generation_service_pb2_grpc as service_grpc
from mediagen.v1 import job_pb2

SERVICE = "mediagen.v1.GenerationService"
# grpc.aio ships no types.
Context = Any


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


async def refuse(context: Context, code: grpc.StatusCode, message: str, detail: Any) -> NoReturn:
    """End the call with a status that carries one detail."""
    packed = any_pb2.Any()
    packed.Pack(detail)
    status = status_pb2.Status(code=code.value[0], message=message, details=[packed])
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort does not return")


class StubService(service_grpc.GenerationServiceServicer):
    """Answers by job id: `missing`, `three` (a short stream), `forever`."""

    def __init__(self) -> None:
        self.ended_watches = 0
        self.last_metadata: dict[str, str] = {}
        self.calls = 0
        self.list_delay = 0.0

    def _note(self, context: Context) -> None:
        self.calls += 1
        self.last_metadata = {str(k): str(v) for k, v in context.invocation_metadata() or ()}

    async def GetJob(self, request: Any, context: Any) -> service_pb2.GetJobResponse:
        self._note(context)
        if request.job_id == "slow":
            await asyncio.sleep(60)
        return service_pb2.GetJobResponse(job=job_pb2.Job(job_id=request.job_id, revision=1))

    async def ListJobs(self, request: Any, context: Any) -> service_pb2.ListJobsResponse:
        self._note(context)
        if request.page_token:
            violation = error_details_pb2.BadRequest.FieldViolation(
                field="page_token", description="is not one of ours: ✗"
            )
            await refuse(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                "bad page_token ✗",
                error_details_pb2.BadRequest(field_violations=[violation]),
            )
        await asyncio.sleep(self.list_delay)
        jobs = [job_pb2.Job(job_id="one", state=job_pb2.Job.STATE_PENDING, revision=1)]
        return service_pb2.ListJobsResponse(jobs=jobs)

    async def SubmitJob(self, request: Any, context: Any) -> service_pb2.SubmitJobResponse:
        self._note(context)
        return service_pb2.SubmitJobResponse(job=job_pb2.Job(job_id="native"))

    async def CancelJob(self, request: Any, context: Any) -> service_pb2.CancelJobResponse:
        return service_pb2.CancelJobResponse(job=job_pb2.Job(job_id=request.job_id))

    async def WatchJob(
        self, request: Any, context: Any
    ) -> AsyncIterator[service_pb2.WatchJobResponse]:
        self._note(context)
        if request.job_id == "missing":
            info = error_details_pb2.ErrorInfo(reason="ERROR_REASON_JOB_NOT_FOUND", domain="x")
            await refuse(context, grpc.StatusCode.NOT_FOUND, "no job missing", info)
        try:
            for revision in range(1, 4 if request.job_id == "three" else 1_000_000):
                job = job_pb2.Job(job_id=request.job_id, revision=revision)
                yield service_pb2.WatchJobResponse(update=job)
                await asyncio.sleep(0.3)
        finally:
            self.ended_watches += 1

    async def WatchJobEvents(
        self, request: Any, context: Any
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        self._note(context)
        first = int(self.last_metadata.get("last-event-id", "0")) + 1
        for revision in range(first, first + 3):
            frame = f'id: {revision}\nevent: update\ndata: {{"revision": {revision}}}\n\n'
            yield httpbody_pb2.HttpBody(content_type="text/event-stream", data=frame.encode())
            await asyncio.sleep(0.3)

    async def DownloadArtifact(
        self, request: Any, context: Any
    ) -> AsyncIterator[httpbody_pb2.HttpBody]:
        yield httpbody_pb2.HttpBody(content_type="image/webp", data=b"picture")

    async def GetHealth(self, request: Any, context: Any) -> service_pb2.GetHealthResponse:
        return service_pb2.GetHealthResponse(status="SERVING")


@dataclass
class StubHttp:
    """The plain HTTP side: it says what reached it."""

    picture: Path
    health_status: int = 200
    requests: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def app(self) -> Starlette:
        """The routes that the edge sends to it."""
        job = "/api/v1/jobs/{job_id}"
        return Starlette(
            routes=[
                Route("/api/v1/generate", self.echo, methods=["POST"]),
                Route(job + ":cancel", self.echo, methods=["POST"]),
                Route("/api/v1/status/{job_id}", self.job),
                Route(job, self.job),
                Route(job + "/artifacts/{index}", self.artifact),
                Route("/api/v1/health", self.health),
            ]
        )

    def _note(self, request: Request) -> None:
        self.requests.append((request.method, request.url.path, request.headers))

    async def echo(self, request: Request) -> Response:
        self._note(request)
        return JSONResponse({"job_id": "plain", "length": len(await request.body())})

    async def job(self, request: Request) -> Response:
        self._note(request)
        return JSONResponse({"job_id": request.path_params["job_id"]})

    async def artifact(self, request: Request) -> Response:
        self._note(request)
        return FileResponse(self.picture, media_type="image/webp")

    async def health(self, request: Request) -> Response:
        return JSONResponse({"status": "SERVING"}, status_code=self.health_status)


@dataclass
class StubGateway:
    """One gateway: what it saw, where it listens, and how to make it unhealthy."""

    grpc_port: int
    http_port: int
    service: StubService
    http: StubHttp
    health: HealthServicer

    def set_serving(self, serving: bool) -> None:
        """What grpc.health.v1 says of it."""
        states = health_pb2.HealthCheckResponse
        self.health.set("", states.SERVING if serving else states.NOT_SERVING)


class Behind(Protocol):
    """A gateway that the edge can stand in front of."""

    grpc_port: int
    http_port: int


@asynccontextmanager
async def stub_gateway(folder: Path) -> AsyncIterator[StubGateway]:
    """A gateway that runs in this process."""
    picture = folder / "picture.webp"
    picture.write_bytes(bytes(range(256)) * 40)
    service, http, health = StubService(), StubHttp(picture), HealthServicer()
    options = [("grpc.http2.min_ping_interval_without_data_ms", 10_000)]
    server = grpc.aio.server(options=options)
    service_grpc.add_GenerationServiceServicer_to_server(service, server)
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server)
    grpc_port = server.add_insecure_port("127.0.0.1:0")
    (http_port,) = free_ports(1)
    web = uvicorn.Server(
        uvicorn.Config(http.app(), host="127.0.0.1", port=http_port, log_level="warning")
    )
    await server.start()
    serving = asyncio.create_task(web.serve())
    gateway = StubGateway(grpc_port, http_port, service, http, health)
    gateway.set_serving(True)
    try:
        yield gateway
    finally:
        web.should_exit = True
        await serving
        await server.stop(0.1)


@dataclass
class RunningEdge:
    """The edge under test."""

    port: int
    web_port: int
    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    log: Path

    @property
    def target(self) -> str:
        """For gRPC channels."""
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def running_edge(
    folder: Path, gateways: Sequence[Behind], **environment: str
) -> AsyncIterator[RunningEdge]:
    """`python -m edge` in front of these gateways, ready to serve; stopped at the end."""
    port, web_port = free_ports(2)
    settings = {
        "EDGE_PORT": str(port),
        "WEB_PORT": str(web_port),
        "GATEWAY_ADDRESSES": ",".join(f"127.0.0.1:{g.grpc_port}" for g in gateways),
        "GATEWAY_HTTP_ADDRESSES": ",".join(f"127.0.0.1:{g.http_port}" for g in gateways),
        "STATE_DIR": str(folder / "state"),
        **environment,
    }
    log = folder / "edge.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "edge",
            env={**os.environ, **settings},
            stdout=output,
            stderr=output,
        )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        try:
            await _until_ready(client, process, log)
            yield RunningEdge(port, web_port, process, client, log)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _until_ready(
    client: httpx.AsyncClient, process: asyncio.subprocess.Process, log: Path
) -> None:
    async with asyncio.timeout(60):
        while process.returncode is None:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError(f"the edge ended while starting, see {log}")
