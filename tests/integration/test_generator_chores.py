"""What workers do for the store beside jobs: asking about models, deleting objects."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image

import servicekit
from generator.domain.values import from_struct
from generator.worker import catalogue, janitor
from mediagen.store.v1 import catalogue_service_pb2 as pb
from servicekit.lifecycle import Stop
from servicekit.objects import ObjectStore, StoreUnavailable, open_store
from simulator.hostile_models import SCHEMAS
from tests.fakes.generator_bench import FLUX, Rig, generator_rig

SDXL = "stability-ai/sdxl"


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig(decoders_in_use=1) as made:
        yield made


async def told(
    rig: Rig, name: str, version: str = "", cover_source: str = ""
) -> pb.RecordModelRequest:
    """What is recorded of one that is due."""
    due = pb.DueModel(name=name, version=version, cover_source=cover_source)
    rig.ledger.catalogue.due.append(due)
    assert not await catalogue.ask_once(rig.parts)
    recorded = rig.ledger.catalogue.recorded.pop()
    assert (recorded.name, recorded.version) == (name, version)
    return recorded


async def keys(objects: ObjectStore) -> list[str]:
    return sorted([each.key async for each in objects.list()])


async def test_a_model_is_recorded_as_the_provider_tells_it(rig: Rig) -> None:
    """With its schema as given, and its cover as a small picture in storage."""
    found = (await told(rig, FLUX)).found
    schema = from_struct(found.openapi_schema)
    assert "seed" in schema["components"]["schemas"]["Input"]["properties"]
    assert (found.official, len(found.version), found.provider_url) == (
        True, 64, f"https://replicate.com/{FLUX}",
    )  # fmt: skip
    assert found.description
    assert found.example_seconds == 2.5
    assert found.cover_source.startswith(f"{rig.sim.base_url}/delivery/")
    body = await rig.bytes_of(found.cover_object_key)
    assert re.fullmatch(r"covers/[0-9a-f]{32}\.webp", found.cover_object_key)
    with Image.open(io.BytesIO(body)) as cover:
        assert (cover.format, max(cover.size)) == ("WEBP", 640)
    assert rig.sim.ledger()["auth_leaks"] == []


async def test_a_cover_that_is_stored_is_not_fetched_again(rig: Rig) -> None:
    """While its address is the same. The same picture under another has a key of its own: the
    first one may be about to be deleted."""
    first = (await told(rig, FLUX)).found
    again = (await told(rig, FLUX, cover_source=first.cover_source)).found
    assert (again.cover_source, again.cover_object_key) == (first.cover_source, "")
    moved = (await told(rig, FLUX, cover_source="https://replicate.delivery/old.png")).found
    both = {first.cover_object_key, moved.cover_object_key}
    assert len(both) == 2
    assert set(await keys(rig.objects)) == both


@pytest.mark.parametrize("which", ["svg", "html", "bomb", "broken", "huge", "redirect"])
async def test_a_hostile_cover_is_none(rig: Rig, which: str) -> None:
    """The model is known all the same, with the cover that it had; the next time it is tried
    again."""
    rig.sim.set_fault("hostile_cover", which, on="model", count=1)
    found = (await told(rig, FLUX, cover_source="https://replicate.delivery/old.png")).found
    assert found.openapi_schema.fields
    assert found.cover_object_key == ""
    assert found.cover_source == "https://replicate.delivery/old.png"
    assert await keys(rig.objects) == []
    assert (await told(rig, FLUX)).found.cover_object_key


async def test_without_decoders_no_foreign_cover_is_served() -> None:
    """As it came it could be anything."""
    async with generator_rig() as rig:
        found = (await told(rig, FLUX)).found
        assert (found.cover_object_key, found.cover_source) == ("", "")


async def test_one_version_is_recorded_with_its_schema_alone(rig: Rig) -> None:
    """Of a community model every version can be read, of an official one the latest."""
    version = (await told(rig, SDXL)).found.version
    for name, wanted in ((SDXL, version), (FLUX, (await told(rig, FLUX)).found.version)):
        found = (await told(rig, name, wanted)).found
        assert found.version == wanted
        assert "prompt" in str(found.openapi_schema)
        assert (found.cover_source, found.cover_object_key) == ("", "")


@pytest.mark.parametrize(
    ("name", "version"), [("nobody/nothing", ""), (SDXL, "ab" * 32), (FLUX, "ab" * 32)]
)
async def test_what_the_provider_does_not_know_is_missing(
    rig: Rig, name: str, version: str
) -> None:
    """By its word, a 404."""
    assert (await told(rig, name, version)).missing


@pytest.mark.parametrize("fault", ["500", "drop", "html_502", "401", "html_answer", "giant_answer"])
async def test_trouble_is_told_and_is_not_the_models(rig: Rig, fault: str) -> None:
    """It is asked about again, when the store says so; the words are for people."""
    rig.sim.set_fault(fault, on="model")
    problem = (await told(rig, FLUX)).problem
    assert problem.startswith("The provider ")
    assert "127.0.0.1" not in problem


@pytest.mark.parametrize("which", sorted(SCHEMAS))
async def test_a_hostile_schema_does_the_worker_no_harm(rig: Rig, which: str) -> None:
    """It is handed on as it came, for the store to judge, or is told to be unusable."""
    rig.sim.set_fault("hostile_schema", which, on="model", count=1)
    recorded = await told(rig, FLUX)
    if which == "number":
        assert "schema" in recorded.problem
    else:
        assert recorded.found.openapi_schema.ByteSize() <= catalogue.LARGEST_SCHEMA
    assert (await told(rig, SDXL)).found.version


async def test_few_are_asked_about_at_once_and_then_the_next(rig: Rig) -> None:
    """As long as there are more, without a pause."""
    names = [FLUX, SDXL, "black-forest-labs/flux-dev", "google/imagen-4-fast", "nobody/nothing"]
    rig.ledger.catalogue.due.extend(pb.DueModel(name=each) for each in names)
    await looped(rig, catalogue.keep_catalogue, lambda: len(rig.ledger.catalogue.recorded) == 5)
    assert {each.name for each in rig.ledger.catalogue.recorded} == set(names)


async def test_a_store_that_is_away_is_asked_ever_later(rig: Rig) -> None:
    """And by both loops; one that does not know the call yet, too."""
    catalogue_, files = rig.ledger.catalogue, rig.ledger.files
    for failing in (catalogue_.failing, files.failing):
        failing.extend([grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED])
    catalogue_.due.append(pb.DueModel(name=FLUX))
    files.doomed["a/b"] = False
    await looped(rig, catalogue.keep_catalogue, lambda: bool(catalogue_.recorded))
    await looped(rig, janitor.sweep_objects, lambda: not files.doomed)
    assert catalogue_.taken >= 3


async def test_a_stop_does_not_wait_for_a_slow_provider(rig: Rig) -> None:
    """A deploy waits for paid calls, not for a chore."""
    rig.sim.set_fault("drip_answer", "60", on="model")
    rig.ledger.catalogue.due.append(pb.DueModel(name=FLUX))
    stop = Stop()
    running = asyncio.create_task(catalogue.keep_catalogue(rig.parts, stop, 0.05))
    await asyncio.sleep(0.5)
    assert not rig.ledger.catalogue.due
    stop.set()
    async with asyncio.timeout(5):
        await running
    assert rig.ledger.catalogue.recorded == []


async def looped(rig: Rig, loop: Any, done: Any) -> None:
    """*loop* runs until it is *done*, and ends when it is told to."""
    stop = Stop()
    running = asyncio.create_task(loop(rig.parts, stop, 0.05))
    async with asyncio.timeout(20):
        while not done():
            await asyncio.sleep(0.01)
        stop.set()
        await running


async def once(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def put(rig: Rig, *names: str) -> None:
    for name in names:
        await rig.objects.put_stream(name, once(b"x"), content_type="image/png", max_bytes=1)


async def test_doomed_objects_are_deleted_and_then_told_so(rig: Rig) -> None:
    """Those that were not there among them; no other object is touched."""
    await put(rig, "a/1", "a/2", "b/1")
    rig.ledger.files.doomed = dict.fromkeys(["a/1", "a/2", "a/gone", "not a key"], False)
    assert not await janitor.sweep_once(rig.parts)
    assert rig.ledger.files.doomed == {}
    assert await keys(rig.objects) == ["b/1"]
    assert not await janitor.sweep_once(rig.parts)


async def test_an_object_that_can_not_be_deleted_is_not_told_to_be(rig: Rig) -> None:
    """The store names it again; the others are done."""

    class Stubborn:
        async def delete(self, key: str) -> None:
            if key == "a/1":
                raise StoreUnavailable("away")

    rig.ledger.files.doomed = dict.fromkeys(["a/1", "a/2"], False)
    parts = replace(rig.parts, objects=Stubborn())  # type: ignore[arg-type]
    assert not await janitor.sweep_once(parts)
    assert list(rig.ledger.files.doomed) == ["a/1"]


def files_in(folder: Path) -> list[str]:
    """What there is of at least a byte, whatever a store would list of it."""
    found = (each for each in folder.rglob("*") if each.is_file() and each.stat().st_size)
    return sorted(str(each.relative_to(folder)) for each in found)


async def test_what_killed_writers_left_goes_after_a_day(rig: Rig, tmp_path: Path) -> None:
    """In a folder alone is anything left; what is written to, and every object, stays."""
    store = open_store(tmp_path.as_uri())
    parts = replace(rig.parts, objects=store)
    await store.put_stream("a/1.png", once(b"x"), content_type="image/png", max_bytes=1)
    left = ["a/1.webp.part-0a1b2c3d", "a/1.webp.part-0a1b2c3d#1", "b/c/2.png#1"]
    new, others = "a/3.webp.part-ffffffff#1", ["a/x.part-1", "a/part-0a1b2c3d", "a/y#z"]
    for name in [*left, new, *others]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    two_days_ago = time.time() - 172_800
    for name in files_in(tmp_path):
        if name != new:
            os.utime(tmp_path / name, (two_days_ago, two_days_ago))
    assert not await janitor.sweep_unfinished_once(parts)
    assert files_in(tmp_path) == sorted(["a/1.png", new, *others])
    assert await rig.objects.delete_unfinished(timedelta()) == 0, "memory keeps no such thing"


async def test_a_writer_that_is_killed_leaves_what_is_found_again(tmp_path: Path) -> None:
    """The library's own names among it: were they others one day, the folder would fill up."""
    code = """
import asyncio, sys
from servicekit.objects import open_store

async def endless():
    while True:
        yield bytes(4 << 20)
        await asyncio.sleep(0.05)

store = open_store(sys.argv[1])
asyncio.run(store.put_stream("a/b.bin", endless(), content_type="a/b", max_bytes=1 << 40))
"""
    path = str(Path(servicekit.__file__).parents[1])
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, tmp_path.as_uri(), env={**os.environ, "PYTHONPATH": path}
    )
    async with asyncio.timeout(30):
        while not files_in(tmp_path):
            await asyncio.sleep(0.05)
    writer.kill()
    await writer.wait()
    assert files_in(tmp_path)
    store = open_store(tmp_path.as_uri())
    assert await store.delete_unfinished(timedelta(hours=1)) == 0
    assert await store.delete_unfinished(timedelta(seconds=-60)) == 1
    assert files_in(tmp_path) == []


async def test_many_doomed_objects_go_turn_by_turn(rig: Rig) -> None:
    """Without a pause between full turns."""
    names = [f"a/{n}" for n in range(janitor.MOST + 5)]
    await put(rig, *names)
    rig.ledger.files.doomed = dict.fromkeys(names, False)
    assert await janitor.sweep_once(rig.parts)
    assert not await janitor.sweep_once(rig.parts)
    assert await keys(rig.objects) == []
