"""One stack for all tests here that do not break it, and callers of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, cast

import grpc
import httpx
import pytest

from devstack.testing import Broker, PostgresServer, Stack
from mediagen.v1.generation_service_pb2_grpc import GenerationServiceStub
from store.adapters.invariants import broken
from tests.e2e.api_calls import caller, stack_of_its_own

if TYPE_CHECKING:
    from mediagen.v1.generation_service_pb2_grpc import GenerationServiceAsyncStub


@pytest.fixture(scope="session")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """The whole stack, one of each part. A test that kills a part waits until it is back."""
    with stack_of_its_own(postgres, broker, migrated, tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.fixture(autouse=True)
def _every_invariant_holds(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test that used the shared stack, as `database_url` has it for the others."""
    yield
    if "stack" in request.fixturenames:
        url = request.getfixturevalue("stack").database_url
        lines = asyncio.run(broken(url))
        assert not lines, "\n".join(lines)


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A REST caller of the edge."""
    async with caller(stack) as client:
        yield client


@pytest.fixture
async def stub(stack: Stack) -> AsyncIterator[GenerationServiceAsyncStub]:
    """A gRPC caller of the gateway's own port."""
    async with grpc.aio.insecure_channel(stack.gateway_address) as channel:
        yield cast("GenerationServiceAsyncStub", GenerationServiceStub(channel))


@pytest.fixture
async def edge_stub(stack: Stack) -> AsyncIterator[GenerationServiceAsyncStub]:
    """A gRPC caller of the edge."""
    address = stack.edge_url.removeprefix("http://")
    async with grpc.aio.insecure_channel(address) as channel:
        yield cast("GenerationServiceAsyncStub", GenerationServiceStub(channel))
