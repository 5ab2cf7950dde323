"""The simulator's HTTP API behaves as the facts about Replicate say."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from simulator.clock import ManualClock
from simulator.server import RunningSimulator, running_simulator
from simulator.settings import Settings

SCHNELL = "black-forest-labs/flux-schnell"
SDXL = "stability-ai/sdxl:39ed52f2a78e934b3ba6e2a89f5b1c712de7dfea535525255b1aa35c5565e08b"
TOKEN = {"authorization": "Bearer r8_test"}


@pytest.fixture
async def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sim(clock: ManualClock) -> AsyncIterator[RunningSimulator]:
    async with running_simulator(Settings(seed="api"), clock) as running:
        yield running


@pytest.fixture
async def http(sim: RunningSimulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sim.base_url, headers=TOKEN, verify=False) as client:
        yield client


async def create(http: httpx.AsyncClient, prompt: str = "a sunset", **more: Any) -> dict[str, Any]:
    body = {"version": SCHNELL, "input": {"prompt": prompt, "megapixels": "0.25"}} | more
    response = await http.post("/v1/predictions", json=body)
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    return found


async def read(http: httpx.AsyncClient, prediction: dict[str, Any]) -> dict[str, Any]:
    response = await http.get(prediction["urls"]["get"])
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


async def test_a_prediction_lives_from_create_to_file(
    http: httpx.AsyncClient, clock: ManualClock
) -> None:
    """starting, processing with growing logs, succeeded with metrics, and the file itself."""
    created = await create(http)
    assert created["status"] == "starting"
    assert not {"output", "data_removed", "source", "started_at", "metrics"} & created.keys()
    assert re.fullmatch(r"[0-9a-z]{26}", created["id"])
    assert (await read(http, created))["status"] == "starting"
    await clock.advance(1.0)
    early = await read(http, created)
    await clock.advance(1.2)
    late = await read(http, created)
    assert early["status"] == late["status"] == "processing"
    assert late["logs"].startswith(early["logs"])
    assert len(late["logs"]) > len(early["logs"])
    assert re.search(r"^\s*\d+%\s*\|.+?\|\s*\d+/4", late["logs"].splitlines()[-1])
    await clock.advance(5)
    done = await read(http, created)
    assert done["status"] == "succeeded"
    assert done["metrics"]["predict_time"] < done["metrics"]["total_time"]
    assert done["created_at"] < done["started_at"] < done["completed_at"]
    file = await httpx.AsyncClient(verify=False).get(done["output"][0])
    assert file.headers["content-type"] == "image/webp"
    assert int(file.headers["content-length"]) == len(file.content)
    assert file.headers["etag"].strip('"') == hashlib.md5(file.content).hexdigest()


async def test_the_date_header_follows_the_simulators_clock(
    http: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Callers read the skew of their clock from it."""
    assert (await http.get("/v1/account")).headers["date"] == "Wed, 18 Nov 2026 11:06:40 GMT"


@pytest.mark.parametrize("header", [{}, {"authorization": ""}, {"authorization": "Bearer"}])
async def test_without_a_token_every_call_is_refused(
    sim: RunningSimulator, header: dict[str, str]
) -> None:
    """401 as a problem, for reads too."""
    async with httpx.AsyncClient(base_url=sim.base_url, headers=header, verify=False) as client:
        for path in ("/v1/account", "/v1/predictions", "/v1/models", "/v1/nothing"):
            response = await client.get(path)
            assert response.status_code == 401
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["title"] == "Unauthenticated"
        assert (await client.get("/readyz")).status_code == 200


async def test_an_official_model_has_an_endpoint_of_its_own(http: httpx.AsyncClient) -> None:
    """A community model answers 404 there, and so do deployments."""
    given = {"input": {"prompt": "x"}}
    path = "/v1/models/stability-ai/{}/predictions"
    created = await http.post(path.format("stable-diffusion-3"), json=given)
    assert created.status_code == 201
    assert created.json()["version"] == "hidden"
    assert (await http.post(path.format("sdxl"), json=given)).status_code == 404
    deployment = await http.post("/v1/deployments/a/b/predictions", json=given)
    assert deployment.status_code == 404
    assert deployment.json()["detail"] == "The requested resource could not be found."


async def test_a_community_model_needs_a_version(http: httpx.AsyncClient) -> None:
    """Its answer shows the newest version, not the one asked for."""
    given = {"prompt": "x"}
    refused = await http.post(
        "/v1/predictions", json={"version": "stability-ai/sdxl", "input": given}
    )
    assert refused.status_code == 422
    assert refused.json()["title"] == "Invalid version or not permitted"
    created = await create(http, version=SDXL)
    assert created["version"].startswith("7762")


async def test_bad_input_names_its_fields(http: httpx.AsyncClient, sim: RunningSimulator) -> None:
    """422 with invalid_fields; nothing is created."""
    response = await http.post(
        "/v1/predictions", json={"version": SCHNELL, "input": {"num_outputs": 9}}
    )
    assert response.status_code == 422
    body = response.json()
    assert body["title"] == "Input validation failed"
    assert body["detail"].startswith("- input: prompt is required\n")
    assert [field["field"] for field in body["invalid_fields"]] == ["input", "input.num_outputs"]
    assert sim.ledger()["creates"] == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"NaN", b'{"input": 1e999}', b"[" * 100_000])
async def test_a_body_that_is_no_json_object_is_refused(
    http: httpx.AsyncClient, body: bytes
) -> None:
    """400, never a crash."""
    assert (await http.post("/v1/predictions", content=body)).status_code == 400


async def test_hostile_prompts_come_back_as_they_were(http: httpx.AsyncClient) -> None:
    """Lone surrogates and control characters survive the JSON."""
    body = b'{"version": "%s", "input": {"prompt": "\\ud800 \\u0000"}}' % SCHNELL.encode()
    response = await http.post("/v1/predictions", content=body)
    assert response.status_code == 201
    assert response.json()["input"]["prompt"] == "\ud800 \x00"


async def test_cancel_ends_it_at_once_and_only_once(
    http: httpx.AsyncClient, clock: ManualClock
) -> None:
    """Before the start it is free; afterwards, and on a finished one, nothing changes."""
    created = await create(http)
    canceled = (await http.post(created["urls"]["cancel"])).json()
    assert (canceled["status"], canceled["output"], canceled["logs"]) == ("canceled", None, None)
    await clock.advance(60)
    assert (await read(http, created))["completed_at"] == canceled["completed_at"]
    finished = await create(http)
    await clock.advance(60)
    assert (await http.post(finished["urls"]["cancel"])).json()["status"] == "succeeded"


async def test_cancel_after_sets_a_deadline(http: httpx.AsyncClient, clock: ManualClock) -> None:
    """Aborted when it had not started, canceled when it had; a bad header is refused."""
    body = {"version": SDXL, "input": {"prompt": "x", "num_inference_steps": 500}}
    header = {"cancel-after": "5s"}
    created = (await http.post("/v1/predictions", json=body, headers=header)).json()
    assert created["deadline"] > created["created_at"]
    await clock.advance(5.1)
    ended = await read(http, created)
    assert ended["status"] == "canceled"
    assert ended["started_at"] < ended["completed_at"]
    refused = await http.post("/v1/predictions", json=body, headers={"cancel-after": "1s"})
    assert refused.status_code == 422


async def test_prefer_wait_answers_when_it_is_done() -> None:
    """201 with the output; when the time is up, the unfinished object."""
    settings = Settings(seed="api", speed=50)
    async with (
        running_simulator(settings) as sim,
        httpx.AsyncClient(base_url=sim.base_url, headers=TOKEN, verify=False) as http,
    ):
        body = {"version": SCHNELL, "input": {"prompt": "x"}}
        done = await http.post("/v1/predictions", json=body, headers={"prefer": "wait"})
        assert done.status_code == 201
        assert done.json()["status"] == "succeeded"
        assert done.headers["preference-applied"] == "wait=60"
        sim.set_fault("starting_forever")
        pending = await http.post("/v1/predictions", json=body, headers={"prefer": "wait=1"})
        assert pending.status_code == 202
        assert pending.json()["status"] == "starting"


async def test_a_cancel_releases_a_waiting_create(
    http: httpx.AsyncClient, sim: RunningSimulator
) -> None:
    """The held request answers with what became of it."""
    body = {"version": SCHNELL, "input": {"prompt": "x"}}
    waiting = asyncio.create_task(
        http.post("/v1/predictions", json=body, headers={"prefer": "wait"})
    )
    while not sim.ledger()["predictions"]:
        await asyncio.sleep(0.01)
    prediction_id = sim.ledger()["predictions"][0]["id"]
    await http.post(f"/v1/predictions/{prediction_id}/cancel")
    assert (await asyncio.wait_for(waiting, 5)).json()["status"] == "canceled"


async def test_the_list_pages_by_absolute_cursors(
    http: httpx.AsyncClient, clock: ManualClock
) -> None:
    """A hundred a page, newest first, created_after inclusive, created_before exclusive."""
    created = []
    for _ in range(105):
        created.append(await create(http))
        await clock.advance(0.01)
    first = (await http.get("/v1/predictions")).json()
    assert len(first["results"]) == 100
    assert first["results"][0]["id"] == created[-1]["id"]
    assert first["next"].startswith(str(http.base_url))
    second = (await http.get(first["next"])).json()
    assert [found["id"] for found in second["results"]] == [c["id"] for c in created[4::-1]]
    assert second["next"] is None
    back = (await http.get(second["previous"])).json()
    assert back["results"][0]["id"] == created[-1]["id"]
    window = {"created_after": created[3]["created_at"], "created_before": created[6]["created_at"]}
    found = (await http.get("/v1/predictions", params=window)).json()["results"]
    assert [one["id"] for one in found] == [c["id"] for c in created[5:2:-1]]
    assert (await http.get("/v1/predictions", params={"source": "web"})).json()["results"] == []
    assert (await http.get("/v1/predictions", params={"cursor": "x"})).status_code == 404
    assert (await http.get("/v1/predictions", params={"created_after": "x"})).status_code == 400


async def test_data_is_removed_after_an_hour(http: httpx.AsyncClient, clock: ManualClock) -> None:
    """The record stays; input, output, logs and the file are gone."""
    created = await create(http)
    await clock.advance(10)
    url = (await read(http, created))["output"][0]
    assert (await http.get(url)).status_code == 200
    await clock.advance(3600)
    gone = await read(http, created)
    assert (gone["data_removed"], gone["output"], gone["input"]) == (True, None, {})
    assert gone["status"] == "succeeded"
    assert (await http.get(url)).status_code == 404


async def test_files_come_in_ranges_too(http: httpx.AsyncClient, clock: ManualClock) -> None:
    """So that an interrupted download can go on."""
    created = await create(http)
    await clock.advance(10)
    url = (await read(http, created))["output"][0]
    whole = (await http.get(url)).content
    rest = await http.get(url, headers={"range": "bytes=100-"})
    assert (rest.status_code, rest.content) == (206, whole[100:])
    assert rest.headers["content-range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    assert (await http.get(url, headers={"range": "bytes=-5"})).content == whole[-5:]
    past = await http.get(url, headers={"range": f"bytes={len(whole)}-"})
    assert past.status_code == 416
    head = await http.head(url)
    assert (head.content, int(head.headers["content-length"])) == (b"", len(whole))


async def test_the_ledger_bills_and_tells_on_leaks(
    http: httpx.AsyncClient, sim: RunningSimulator, clock: ManualClock
) -> None:
    """A success in full, a cancel while running for its time, a cancel before it nothing."""
    success = await create(http, "one")
    running = await create(http, "two")
    waiting = await create(http, "three")
    await http.post(waiting["urls"]["cancel"])
    await clock.advance(1.5)
    await http.post(running["urls"]["cancel"])
    await clock.advance(10)
    await httpx.AsyncClient(verify=False).get((await read(http, success))["output"][0])
    assert sim.ledger()["auth_leaks"] == []
    await http.get((await read(http, success))["output"][0])
    ledger = (await http.get("/_simulator/ledger")).json()
    one, two, three = ledger["predictions"]
    assert (one["billed"], three["billed"]) == (0.003, 0)
    assert 0 < two["billed"] < 0.003
    assert (one["gets"], two["cancels"], one["downloads"]) == (2, 1, 2)
    assert one["live"][0] < one["live"][1]
    assert len(ledger["auth_leaks"]) == 1
    assert "r8_test" not in str(ledger)
    assert sim.ledger("two")["creates"] == 1
    await http.delete("/_simulator/ledger")
    assert sim.ledger()["creates"] == 0


async def test_limits_are_counted_and_enforced_only_when_asked(clock: ManualClock) -> None:
    """600 creates a minute; the headers say what is left."""
    settings = Settings(seed="api", enforce_limits=True)
    async with (
        running_simulator(settings, clock) as sim,
        httpx.AsyncClient(base_url=sim.base_url, headers=TOKEN, verify=False) as http,
    ):
        body = {"version": SCHNELL, "input": {"prompt": "x"}}
        first = await http.post("/v1/predictions", json=body)
        assert first.headers["ratelimit-remaining"] == "599"
        sim.simulator.limits.creates.left = 0
        refused = await http.post("/v1/predictions", json=body)
        assert refused.status_code == 429
        assert refused.json()["retry_after"] >= 1


async def test_models_and_the_account_can_be_read(http: httpx.AsyncClient) -> None:
    """The calls that a client makes besides predictions."""
    account = (await http.get("/v1/account")).json()
    assert (account["username"], account["simulated"]) == ("simulator", True)
    assert {"sku", "name"} == (await http.get("/v1/hardware")).json()[0].keys()
    assert (await http.get("/v1/webhooks/default/secret")).json()["key"].startswith("whsec_")
    models = (await http.get("/v1/models")).json()["results"]
    assert len(models) > 12
    model = (await http.get(f"/v1/models/{SCHNELL}")).json()
    schema = model["latest_version"]["openapi_schema"]["components"]["schemas"]
    assert schema["Input"]["required"] == ["prompt"]
    versions = (await http.get("/v1/models/stability-ai/sdxl/versions")).json()["results"]
    assert len(versions) == 2
    one = await http.get(f"/v1/models/stability-ai/sdxl/versions/{versions[1]['id']}")
    assert one.json() == versions[1]
    assert (await http.get("/v1/models/nobody/nothing")).status_code == 404


async def test_a_film_is_made_while_its_run_goes_on(
    sim: RunningSimulator, http: httpx.AsyncClient, clock: ManualClock
) -> None:
    """As the provider has the file when a run has ended; a picture is made when it is fetched."""
    await create(http)
    assert not sim.simulator.making
    asked = {"prompt": "a fox", "duration": 5, "resolution": "480p"}
    path = "/v1/models/bytedance/seedance-1-lite/predictions"
    film = (await http.post(path, json={"input": asked})).json()
    [making] = sim.simulator.making
    await making
    await clock.advance(60)
    address = (await read(http, film))["output"]
    got = await http.get(address, headers={"authorization": ""})
    assert (got.status_code, got.headers["content-type"]) == (200, "video/mp4")
    assert not sim.simulator.making
