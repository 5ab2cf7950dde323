"""The official `replicate` package works against the simulator: an outside view of the API."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from PIL import Image
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput

from simulator.server import RunningSimulator, running_simulator
from simulator.settings import Settings

SCHNELL = "black-forest-labs/flux-schnell"
SDXL = "stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
SMALL = {"prompt": "a lighthouse", "megapixels": "0.25"}
DELIVERY = "https://replicate.delivery"


class ToLoopback(httpx.HTTPTransport):
    """Sends what goes to the delivery host to the simulator: the package knows https only."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = httpx.URL(base_url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(
            scheme="http", host=self._base_url.host, port=self._base_url.port
        )
        return super().handle_request(request)


@pytest.fixture
async def sim() -> AsyncIterator[RunningSimulator]:
    async with running_simulator(Settings(seed="peer", speed=20, delivery_url=DELIVERY)) as found:
        yield found


@pytest.fixture
def client(sim: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("REPLICATE_POLL_INTERVAL", "0.02")
    return Client(api_token="r8_test", base_url=sim.base_url, transport=ToLoopback(sim.base_url))


async def in_thread(function: Any, *args: Any, **more: Any) -> Any:
    return await asyncio.to_thread(function, *args, **more)


async def test_run_gives_a_file_that_opens(client: Client) -> None:
    """run() waits in the create and downloads through FileOutput."""
    outputs = await in_thread(client.run, SCHNELL, input=SMALL)
    assert [type(output) for output in outputs] == [FileOutput]
    body = await in_thread(outputs[0].read)
    assert Image.open(io.BytesIO(body)).size == (512, 512)


async def test_run_polls_when_it_may_not_wait(client: Client) -> None:
    """A pinned community version, several outputs, progress from the logs."""
    outputs = await in_thread(client.run, SDXL, input={"prompt": "x", "num_outputs": 2}, wait=False)
    assert len(outputs) == 2


async def test_create_wait_and_list(client: Client, sim: RunningSimulator) -> None:
    """create() then wait() until it succeeded; the list shows it first."""
    prediction = await in_thread(client.predictions.create, model=SCHNELL, input=SMALL)
    assert prediction.status == "starting"
    await in_thread(prediction.wait)
    assert prediction.status == "succeeded"
    assert prediction.progress.percentage == 1.0
    page = await in_thread(client.predictions.list)
    assert [found.id for found in page] == [prediction.id]
    assert (await in_thread(client.predictions.get, prediction.id)).output == prediction.output


async def test_the_list_is_followed_by_its_cursor(client: Client) -> None:
    """page.next is an absolute URL that the client requests as it is."""
    for _ in range(101):
        await in_thread(client.predictions.create, version=SDXL.partition(":")[2], input=SMALL)
    first = await in_thread(client.predictions.list)
    second = await in_thread(client.predictions.list, first.next)
    assert (len(first), len(second), second.next) == (100, 1, None)


async def test_cancel(client: Client, sim: RunningSimulator) -> None:
    """cancel() on the object and by id."""
    sim.set_fault("processing_forever")
    prediction = await in_thread(client.predictions.create, model=SCHNELL, input=SMALL)
    await in_thread(prediction.cancel)
    assert prediction.status == "canceled"
    assert (await in_thread(client.predictions.cancel, prediction.id)).status == "canceled"


async def test_a_failed_run_raises_the_models_error(client: Client, sim: RunningSimulator) -> None:
    """ModelError with the text of `error`."""
    sim.set_fault("fail", "E9828")
    with pytest.raises(ModelError, match="E9828"):
        await in_thread(client.run, SCHNELL, input=SMALL)


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        ("401", 401, "Unauthenticated"),
        ("402", 402, "Insufficient credit"),
        ("422_input", 422, "Input validation failed"),
        ("422_version", 422, "Invalid version or not permitted"),
        ("429_with_retry_after", 429, None),
        ("500", 500, "Internal server error"),
        ("html_502", 502, None),
    ],
)
async def test_errors_are_read_by_the_client(
    client: Client, sim: RunningSimulator, fault: str, status: int, title: str | None
) -> None:
    """Each refusal becomes a ReplicateError with its status and title."""
    sim.set_fault(fault)
    with pytest.raises(ReplicateError) as raised:
        await in_thread(client.predictions.create, model=SCHNELL, input=SMALL)
    assert (raised.value.status, raised.value.title) == (status, title)


async def test_models_account_hardware_and_secret(client: Client) -> None:
    """The client's own classes take the answers."""
    model = await in_thread(client.models.get, SCHNELL)
    schemas = model.latest_version.openapi_schema["components"]["schemas"]
    assert "prompt" in schemas["Input"]["properties"]
    assert len((await in_thread(client.models.list)).results) > 12
    sdxl = await in_thread(client.models.get, "stability-ai/sdxl")
    assert len((await in_thread(sdxl.versions.list)).results) == 2
    assert (await in_thread(client.accounts.current)).username == "simulator"
    assert len(await in_thread(client.hardware.list)) == 5
    assert (await in_thread(client.webhooks.default.secret)).key.startswith("whsec_")


async def test_files_are_uploaded_listed_and_deleted(client: Client, tmp_path: Any) -> None:
    """Uploads keep their bytes, name and type; the address of one can be an input."""
    path = tmp_path / "in put.png"
    path.write_bytes(bytes(range(256)) * 3 + b"\r\n--\r\n")
    file = await in_thread(client.files.create, path, metadata={"for": "test"})
    assert (file.name, file.content_type, file.size) == ("in put.png", "image/png", 774)
    assert file.metadata == {"for": "test"}
    download = await httpx.AsyncClient().get(file.urls["download"])
    assert download.content == path.read_bytes()
    assert [found.id for found in await in_thread(client.files.list)] == [file.id]
    assert (await in_thread(client.files.get, file.id)).checksums == file.checksums
    assert await in_thread(client.files.delete, file.id)
    assert await in_thread(client.files.list) == []
