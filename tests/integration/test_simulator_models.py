"""What is told of models, how that changes at run time, and the files that they take."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import av
import httpx
import pytest
from PIL import Image

from simulator.clock import ManualClock
from simulator.hostile_models import COVERS, SCHEMAS
from simulator.server import RunningSimulator, running_simulator
from simulator.settings import Settings

SCHNELL, SEEDANCE = "black-forest-labs/flux-schnell", "bytedance/seedance-1-lite"
SPEECH, KONTEXT = "minimax/speech-02-turbo", "black-forest-labs/flux-kontext-pro"
TOKEN = {"authorization": "Bearer r8_test"}


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sim(clock: ManualClock) -> AsyncIterator[RunningSimulator]:
    async with running_simulator(Settings(seed="models"), clock) as running:
        yield running


@pytest.fixture
async def http(sim: RunningSimulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sim.base_url, headers=TOKEN, verify=False) as client:
        yield client


async def create(http: httpx.AsyncClient, version: str, **given: Any) -> httpx.Response:
    return await http.post("/v1/predictions", json={"version": version, "input": given})


async def model(http: httpx.AsyncClient, slug: str) -> dict[str, Any]:
    response = await http.get(f"/v1/models/{slug}")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def inputs_of(told: dict[str, Any]) -> dict[str, Any]:
    schemas = told["latest_version"]["openapi_schema"]["components"]["schemas"]
    found: dict[str, Any] = schemas["Input"]["properties"]
    return found


async def output(http: httpx.AsyncClient, clock: ManualClock, created: httpx.Response) -> Any:
    assert created.status_code == 201, created.text
    await clock.advance(60)
    return (await http.get(created.json()["urls"]["get"])).json()


async def test_models_of_films_and_sounds_make_real_ones(
    http: httpx.AsyncClient, clock: ManualClock
) -> None:
    """An MP4 as long as was asked for, an MP3, each with its type and its metrics."""
    done = await output(
        http, clock, await create(http, SEEDANCE, prompt="waves", duration=5, resolution="480p")
    )
    assert done["metrics"]["video_output_duration_seconds"] == 5
    file = await httpx.AsyncClient(verify=False).get(done["output"])
    assert file.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(file.content)) as container:
        assert container.streams.video[0].width == 864
    done = await output(http, clock, await create(http, SPEECH, text="hello there"))
    file = await httpx.AsyncClient(verify=False).get(done["output"])
    assert file.headers["content-type"] == "audio/mpeg"


async def test_speech_takes_a_text_and_no_prompt(http: httpx.AsyncClient) -> None:
    """As the provider's own schema has it."""
    told = inputs_of(await model(http, SPEECH))
    assert "text" in told
    assert "prompt" not in told
    refused = await create(http, SPEECH, prompt="hello")
    assert refused.json()["invalid_fields"][0]["description"] == "text is required"


async def test_covers_and_examples_are_told(http: httpx.AsyncClient) -> None:
    """A cover that can be fetched without a token, and how long the example took."""
    told = await model(http, SCHNELL)
    cover = await httpx.AsyncClient(verify=False).get(told["cover_image_url"])
    with Image.open(io.BytesIO(cover.content)) as image:
        assert (image.format, image.size) == ("WEBP", (960, 640))
    assert told["is_official"] is True
    assert told["default_example"]["metrics"]["predict_time"] == 2.5


async def test_a_model_changes_while_it_is_used(http: httpx.AsyncClient) -> None:
    """What is told and what is checked change together, and back again."""
    change = {
        "inputs": {
            "aspect_ratio": {"enum": ["1:1"], "default": "1:1"},
            "style": {"type": "string", "required": True},
            "go_fast": None,
        }
    }
    assert (await http.put(f"/_simulator/models/{SCHNELL}", json=change)).status_code == 204
    told = inputs_of(await model(http, SCHNELL))
    assert "go_fast" not in told
    assert "style" in told
    refused = await create(http, SCHNELL, prompt="x", aspect_ratio="16:9")
    fields = {each["description"] for each in refused.json()["invalid_fields"]}
    assert fields == {"style is required", 'Must be one of the following: "1:1"'}
    assert (await http.delete(f"/_simulator/models/{SCHNELL}")).status_code == 204
    assert (await create(http, SCHNELL, prompt="x", aspect_ratio="16:9")).status_code == 201


async def test_a_new_version_runs_and_the_old_ones_are_still_known(http: httpx.AsyncClient) -> None:
    """latest_version is the new one."""
    version = "ab" * 32
    await http.put("/_simulator/models/stability-ai/sdxl", json={"version": version})
    assert (await model(http, "stability-ai/sdxl"))["latest_version"]["id"] == version
    assert (await create(http, version, prompt="x")).status_code == 201


async def test_models_come_and_go(http: httpx.AsyncClient) -> None:
    """A model that a test adds runs with its version; one that is gone answers 404."""
    path = "/_simulator/models/some-one/some-model"
    change = {"inputs": {"prompt": {"required": True}}, "version": "cd" * 32}
    assert (await http.put(path, json=change)).status_code == 204
    assert (await model(http, "some-one/some-model"))["is_official"] is False
    assert (await create(http, "cd" * 32, prompt="x")).status_code == 201
    await http.put(path, json={"gone": True})
    assert (await http.get("/v1/models/some-one/some-model")).status_code == 404
    refused = await create(http, "cd" * 32, prompt="x")
    assert refused.json()["title"] == "Invalid version or not permitted"


@pytest.mark.parametrize("change", [{"colour": 1}, {"version": "short"}, [], "x"])
async def test_a_change_that_means_nothing_is_refused(
    http: httpx.AsyncClient, change: object
) -> None:
    """So that a test with a slip in it does not pass."""
    assert (await http.put(f"/_simulator/models/{SCHNELL}", json=change)).status_code == 422


@pytest.mark.parametrize("name", SCHEMAS)
async def test_hostile_schemas_are_told_where_a_fault_says_so(
    http: httpx.AsyncClient, sim: RunningSimulator, name: str
) -> None:
    """For one model, and once."""
    honest = (await model(http, SCHNELL))["latest_version"]["openapi_schema"]
    sim.set_fault("hostile_schema", name, on="model", match=SCHNELL, count=1)
    assert (await model(http, KONTEXT))["latest_version"]["openapi_schema"] != honest
    assert (await model(http, SCHNELL))["latest_version"]["openapi_schema"] != honest
    assert (await model(http, SCHNELL))["latest_version"]["openapi_schema"] == honest


@pytest.mark.parametrize("name", COVERS)
async def test_hostile_covers_are_sent_where_a_fault_says_so(
    http: httpx.AsyncClient, sim: RunningSimulator, name: str
) -> None:
    """Each is served; none is a picture that a decoder should take."""
    sim.set_fault("hostile_cover", name, on="model", match=SCHNELL)
    url = (await model(http, SCHNELL))["cover_image_url"]
    async with httpx.AsyncClient(verify=False) as plain, plain.stream("GET", url) as answer:
        assert answer.status_code == (302 if name == "redirect" else 200)
        start = b""
        async for piece in answer.aiter_bytes(4096):
            start = piece
            break
    with (
        pytest.raises((OSError, Image.DecompressionBombError)),
        Image.open(io.BytesIO(start)) as image,
    ):
        image.load()


async def test_request_faults_hit_models_and_uploads_too(
    http: httpx.AsyncClient, sim: RunningSimulator
) -> None:
    """500@model, 500@upload."""
    sim.set_fault("500", on="model", count=1)
    sim.set_fault("500", on="upload", count=1)
    assert (await http.get(f"/v1/models/{SCHNELL}")).status_code == 500
    file = {"content": ("a.png", b"x", "image/png")}
    assert (await http.post("/v1/files", files=file)).status_code == 500
    assert (await http.post("/v1/files", files=file)).status_code == 201


async def test_an_uploaded_picture_is_used_and_one_that_has_gone_fails_the_run(
    http: httpx.AsyncClient, sim: RunningSimulator, clock: ManualClock
) -> None:
    """expires_at is when it goes."""
    out = io.BytesIO()
    Image.new("RGB", (300, 200), (200, 30, 30)).save(out, "PNG")
    file = {"content": ("red.png", out.getvalue(), "image/png")}
    kept = (await http.post("/v1/files", files=file)).json()
    done = await output(
        http, clock, await create(http, KONTEXT, prompt="a lake", input_image=kept["urls"]["get"])
    )
    made = await httpx.AsyncClient(verify=False).get(done["output"])
    with Image.open(io.BytesIO(made.content)) as image:
        assert abs(image.width / image.height - 1.5) < 0.01
    sim.set_fault("short_upload", 10, on="upload", count=1)
    kept = (await http.post("/v1/files", files=file)).json()
    await clock.advance(11)
    await asyncio.sleep(0)
    done = await output(
        http, clock, await create(http, KONTEXT, prompt="a lake", input_image=kept["urls"]["get"])
    )
    assert (done["status"], "input_image" in done["error"]) == ("failed", True)
