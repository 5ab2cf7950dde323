"""Whatever the provider says of its models, callers are safe from it and jobs go on."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterable
from typing import Any

import httpx
from PIL import Image

from devstack.testing import Stack
from simulator.catalogue import BY_SLUG
from simulator.hostile_models import COVERS, SCHEMAS
from tests.e2e.api_calls import Json, finished, generate

IMAGEN, KONTEXT = "google/imagen-4-fast", "black-forest-labs/flux-kontext-pro"
# Each harm befalls a model that no other test here needs.
VICTIMS = sorted(set(BY_SLUG) - {IMAGEN, KONTEXT, "black-forest-labs/flux-schnell"})


async def _control(stack: Stack, method: str, path: str, **more: Any) -> httpx.Response:
    async with httpx.AsyncClient(base_url=stack.simulator_url, trust_env=False) as client:
        answer = await client.request(method, f"/_simulator/{path}", **more)
    return answer.raise_for_status()


async def _read_again(http: httpx.AsyncClient, names: Iterable[str]) -> dict[str, Json]:
    """The models once the provider was asked about each, with success or without."""
    wanted = sorted(names)
    before = {name: (await http.get(f"/api/v1/models/{name}")).json() for name in wanted}
    asked = (await http.post("/api/v1/models:sync", json={"names": wanted})).json()
    assert asked["models"] == len(wanted), asked
    models: dict[str, Json] = {}
    async with asyncio.timeout(60):
        while len(models) < len(wanted):
            for name in set(wanted) - set(models):
                model = (await http.get(f"/api/v1/models/{name}")).json()
                read = (model.get("sync_time") or "") > asked["request_time"]
                if read or model["sync_problem"] != before[name]["sync_problem"]:
                    models[name] = model
            await asyncio.sleep(0.5)
    return models


def _inputs(model: Json) -> set[str]:
    return set(model["input_schema"]["properties"])


async def test_hostile_schemas_harm_nobody(stack: Stack, http: httpx.AsyncClient) -> None:
    """What can not be used is told as a problem, and what was known goes on. Answers stay quick,
    and the next sound word of the provider is taken."""
    harmed = dict(zip(SCHEMAS, VICTIMS, strict=False))
    assert len(harmed) == len(SCHEMAS)
    rules = [
        {"name": "hostile_schema", "arg": name, "on": "model", "match": slug, "count": 1}
        for name, slug in harmed.items()
    ]
    for rule in rules:
        await _control(stack, "POST", "faults", json=rule)
    models = await _read_again(http, harmed.values())
    for name, slug in harmed.items():
        begun = time.monotonic()
        body = {"model": slug, "prompt": "a" * 200 + "!", "validate_only": True}
        answer = await http.post("/api/v1/generate", json=body)
        assert answer.status_code in (200, 400), (name, answer.text)
        assert time.monotonic() - begun < 20, name
        text = str(models[slug]["input_schema"])
        assert len(text) < 400_000, name
        for harm in ("/etc/passwd", "foreign.invalid", "(a+)+", "$ref"):
            assert harm not in text, name
    assert (await http.get("/api/v1/health")).status_code == 200
    healed = await _read_again(http, harmed.values())
    for slug, model in healed.items():
        assert (model["sync_problem"], _inputs(model)) == ("", set(BY_SLUG[slug].by_name)), slug


async def test_hostile_covers_are_never_served(stack: Stack, http: httpx.AsyncClient) -> None:
    """A caller gets a small WebP of our own making, or none; the model is read all the same."""
    harmed = dict(zip(COVERS, VICTIMS, strict=False))
    for name, slug in harmed.items():
        rule = {"name": "hostile_cover", "arg": name, "on": "model", "match": slug, "count": 1}
        await _control(stack, "POST", "faults", json=rule)
    models = await _read_again(http, harmed.values())
    for name, slug in harmed.items():
        assert models[slug]["sync_problem"] == "", name
        answer = await http.get(f"/api/v1/models/{slug}/cover")
        assert answer.status_code in (200, 404), name
        if answer.status_code == 200:
            assert answer.headers["content-type"] == "image/webp", name
            assert answer.headers["x-content-type-options"] == "nosniff", name
            assert Image.open(io.BytesIO(answer.content)).format == "WEBP", name
    await _read_again(http, harmed.values())
    for slug in harmed.values():
        answer = await http.get(f"/api/v1/models/{slug}/cover")
        assert answer.status_code == 200, slug
        with Image.open(io.BytesIO(answer.content)) as image:
            assert max(image.size) <= 1024


async def test_a_refusal_of_what_the_schema_took_reads_the_model_again(
    stack: Stack, http: httpx.AsyncClient
) -> None:
    """The job fails free of charge with the provider's violations; the next one is refused here."""
    change = {"inputs": {"aspect_ratio": {"enum": ["1:1", "4:3"], "default": "1:1"}}}
    await _control(stack, "PUT", f"models/{IMAGEN}", json=change)
    given = {"aspect_ratio": "16:9"}
    try:
        job = await generate(http, "a model that has changed", model=IMAGEN, input=given)
        job = await finished(http, job["job_id"])
        assert job["failure"]["reason"] == "FAILURE_REASON_INVALID_INPUT"
        assert job["charge"] == "CHARGE_NO"
        [violation] = job["failure"]["field_violations"]
        assert violation["field"].endswith("aspect_ratio")
        body = {"model": IMAGEN, "prompt": "a model that has changed", "input": given}
        async with asyncio.timeout(40):
            while (answer := await http.post("/api/v1/generate", json=body)).status_code == 200:
                job = await finished(http, answer.json()["job_id"])
                assert job["charge"] == "CHARGE_NO"
        assert answer.status_code == 400
        assert "4:3" in answer.text
    finally:
        await _control(stack, "DELETE", f"models/{IMAGEN}")
        await _read_again(http, [IMAGEN])
    assert (await http.post("/api/v1/generate", json=body)).status_code == 200


async def test_a_file_that_runs_out_at_the_provider_is_given_anew(
    stack: Stack, http: httpx.AsyncClient
) -> None:
    """Before each call; the run that names a dead file would fail, and might cost."""
    picture = io.BytesIO()
    Image.effect_noise((700, 700), 90).convert("RGB").save(picture, "PNG")
    assert len(picture.getvalue()) > 300_000  # too large to go within the input
    kept = (await http.post("/api/v1/uploads", content=picture.getvalue())).json()
    match = "a photograph that is kept but briefly"
    short = {"name": "short_upload", "arg": 3, "on": "upload", "count": 1}
    throttled = {"name": "429_with_retry_after", "arg": 5, "match": match, "count": 1}
    for rule in (short, throttled):
        await _control(stack, "POST", "faults", json=rule)
    job = await generate(http, match, model=KONTEXT, input={"input_image": kept["uri"]})
    job = await finished(http, job["job_id"])
    assert job["state"] == "STATE_COMPLETED", job
    assert [each["state"] for each in job["attempts"]] == [
        "STATE_NOT_CREATED",
        "STATE_SUCCEEDED",
    ]
    ledger = (await _control(stack, "GET", "ledger", params={"match": match})).json()
    assert len(ledger["predictions"]) == 1
