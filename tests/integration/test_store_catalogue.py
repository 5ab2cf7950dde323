"""What does the catalogue say of a model, and when is the provider asked about it?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from mediagen.store.v1 import catalogue_service_pb2 as pb
from mediagen.v1 import model_pb2
from store.adapters import catalogue_writes
from store.adapters.shipped import shipped
from store.domain.errors import PageTokenInvalid

from .catalogue_bench import NAME, VERSION, Shelf, document, shelf_at

Answer = pb.ReadModelResponse
SCHNELL = "black-forest-labs/flux-schnell"
AS_IF_WANTED = """
INSERT INTO models (name, state, create_time, due_time)
VALUES (:name, 'UNREAD', clock_timestamp(), clock_timestamp()) ON CONFLICT DO NOTHING
"""


@pytest.fixture
async def shelf(database_url: str) -> AsyncIterator[Shelf]:
    async with shelf_at(database_url) as shelf:
        yield shelf


async def test_the_shipped_models_are_there_from_the_start(database_url: str) -> None:
    """With their schemas, what they make, and a price where it is known."""
    async with shelf_at(database_url, "catalogue") as shelf:
        await shelf.writes.begin()
        page = await shelf.listed()
        assert len(page.models) == 17
        found = await shelf.read(SCHNELL)
        assert found.outcome == Answer.OUTCOME_FOUND
        model = found.model
        assert (model.version, model.official) == ("", True)
        assert model.price == model_pb2.Price(usd=0.003, unit=model_pb2.Price.UNIT_OUTPUT)
        ratio = model.input_schema.fields["properties"].struct_value.fields["aspect_ratio"]
        assert "16:9" in list(ratio.struct_value["enum"])
        assert not model.HasField("sync_time")
        kinds = {each.name: each.output_kind for each in page.models}
        assert kinds["bytedance/seedance-1-lite"] == model_pb2.Model.OUTPUT_KIND_VIDEO
        assert kinds["minimax/speech-02-turbo"] == model_pb2.Model.OUTPUT_KIND_AUDIO
        community = (await shelf.read("stability-ai/sdxl")).model
        assert len(community.version) == 64
        assert not community.official


async def test_what_the_provider_told_is_never_written_over_at_a_start(shelf: Shelf) -> None:
    """Only what nobody has told anything of yet is written as it is shipped."""
    await shelf.writes.begin()
    await shelf.told(SCHNELL, description="As of today")
    await shelf.writes.begin()
    found = await shelf.read(SCHNELL)
    assert found.model.description == "As of today"
    assert set(found.model.input_schema["properties"]) == {"prompt", "seed"}
    assert found.model.price.usd == 0.003  # which the provider does not tell


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        ("catalogue", {SCHNELL}),
        ("some-owner/*", {NAME}),
        (f"catalogue, {NAME}", {SCHNELL, NAME}),
        ("*", {SCHNELL, NAME}),
        ("some-owner/another", set()),
    ],
)
async def test_the_setting_says_which_models_jobs_may_name(
    database_url: str, setting: str, allowed: set[str]
) -> None:
    """By name, by owner, all, or those that are shipped; the list shows no others."""
    async with shelf_at(database_url, setting) as shelf:
        await shelf.writes.begin()
        await shelf.run(AS_IF_WANTED, name=NAME)
        await shelf.told()
        for name in (SCHNELL, NAME):
            found = (await shelf.read(name)).outcome
            assert found == (Answer.OUTCOME_FOUND if name in allowed else 5), name
        listed = {each.name for each in (await shelf.listed()).models}
        assert listed & {SCHNELL, NAME} == allowed


async def test_a_model_that_is_wanted_is_asked_about_and_then_known(shelf: Shelf) -> None:
    """Who only looks has nobody asked."""
    assert (await shelf.read()).outcome == Answer.OUTCOME_UNREAD
    assert await shelf.taken() == []
    assert (await shelf.read(wanted=True)).outcome == Answer.OUTCOME_UNREAD
    assert await shelf.taken() == [(NAME, "")]
    await shelf.read(wanted=True)
    assert await shelf.taken() == []  # it is in a worker's hands
    await shelf.told(provider_url="https://replicate.com/x", example_seconds=3.5)
    found = await shelf.read()
    assert found.outcome == Answer.OUTCOME_FOUND
    assert found.model.name == NAME
    assert found.model.run_time.p50.ToTimedelta().total_seconds() == 3.5
    assert found.model.HasField("sync_time")
    assert found.model.output_schema["format"] == "uri"
    assert (await shelf.read(known=found.revision)).outcome == Answer.OUTCOME_UNCHANGED


async def test_those_that_are_waited_for_are_asked_about_first(shelf: Shelf) -> None:
    """Also at a first start, when all that is shipped is due."""
    await shelf.writes.begin()
    await shelf.read(wanted=True)
    assert await shelf.taken(1) == [(NAME, "")]
    assert len(await shelf.taken(20)) == 17


async def test_all_are_asked_about_once_in_a_while(shelf: Shelf) -> None:
    """Who wants it in between is answered alike, and no call more is made; named ones are."""
    await shelf.writes.begin()
    count, first, _ = await shelf.writes.sync([])
    assert count == len(shipped())
    taken = [await shelf.taken() for _ in range(3)]
    assert sum(map(len, taken)) >= count
    again, second, _ = await shelf.writes.sync([])
    assert again == count
    assert abs(second - first) < timedelta(seconds=1)
    assert await shelf.taken() == []
    assert (await shelf.writes.sync([shipped()[0].name]))[0] == 1
    assert len(await shelf.taken()) == 1
    await shelf.run("UPDATE singletons SET until = until - interval '10 seconds'")
    count, third, _ = await shelf.writes.sync([])
    assert third > first
    assert len(await shelf.taken()) > 0


async def test_names_of_the_setting_are_wanted_from_the_start(database_url: str) -> None:
    """Those that are given one by one."""
    async with shelf_at(database_url, f"{NAME},another/*") as shelf:
        await shelf.writes.begin()
        assert await shelf.taken() == [(NAME, "")]


async def test_a_community_model_runs_its_latest_version(shelf: Shelf) -> None:
    """Which is told with the model; one without a version can not be run."""
    await shelf.read(wanted=True)
    await shelf.told(official=False, version="")
    found = await shelf.read()
    assert found.outcome == Answer.OUTCOME_UNREAD
    assert "version" in found.problem
    await shelf.told(official=False, version=VERSION)
    first = await shelf.read()
    assert first.model.version == VERSION
    await shelf.told(official=False, version="cd" * 32)
    second = await shelf.read()
    assert second.model.version == "cd" * 32
    assert second.revision > first.revision
    pinned = await shelf.read(version=VERSION)
    assert pinned.model.version == VERSION


async def test_a_version_of_its_own_is_asked_about_once(shelf: Shelf) -> None:
    """It never changes."""
    await shelf.read(wanted=True)
    await shelf.taken()
    await shelf.told()
    assert (await shelf.read(version=VERSION)).outcome == Answer.OUTCOME_UNREAD
    await shelf.read(version=VERSION, wanted=True)
    assert await shelf.taken() == [(NAME, VERSION)]
    schema = document(text={"type": "string"})
    model = pb.ProviderModel(version=VERSION)
    model.openapi_schema.update(schema)
    await shelf.told(asked=VERSION, openapi_schema=model.openapi_schema)
    found = await shelf.read(version=VERSION)
    assert set(found.model.input_schema["properties"]) == {"text"}
    assert set((await shelf.read()).model.input_schema["properties"]) == {"prompt", "seed"}
    await shelf.run("UPDATE models SET due_time = clock_timestamp() + interval '1 day'")
    assert await shelf.taken() == []


async def test_what_the_provider_does_not_have_is_missing_until_it_has(shelf: Shelf) -> None:
    """It is asked again if somebody wants it, but not every second."""
    await shelf.read(wanted=True)
    await shelf.taken()
    await shelf.missing()
    found = await shelf.read(wanted=True)
    assert found.outcome == Answer.OUTCOME_MISSING
    assert await shelf.taken() == []
    await shelf.run("UPDATE models SET read_time = read_time - interval '2 minutes'")
    await shelf.read(wanted=True)
    assert await shelf.taken() == [(NAME, "")]
    await shelf.told()
    assert (await shelf.read()).outcome == Answer.OUTCOME_FOUND


async def test_what_can_not_be_a_version_is_missing(shelf: Shelf) -> None:
    """Nobody is asked about it."""
    await shelf.read(wanted=True)
    found = await shelf.read(version="latest", wanted=True)
    assert found.outcome == Answer.OUTCOME_MISSING
    assert await shelf.taken() == [(NAME, "")]


async def test_a_missing_version_leaves_its_model(shelf: Shelf) -> None:
    """And is asked about again only if somebody wants it."""
    await shelf.read(version=VERSION, wanted=True)
    assert sorted(await shelf.taken()) == [(NAME, ""), (NAME, VERSION)]
    await shelf.told()
    await shelf.missing(version=VERSION)
    assert (await shelf.read(version=VERSION)).outcome == Answer.OUTCOME_MISSING
    assert (await shelf.read()).outcome == Answer.OUTCOME_FOUND
    await shelf.run("UPDATE model_versions SET read_time = read_time - interval '2 minutes'")
    await shelf.read(version=VERSION, wanted=True)
    assert await shelf.taken() == [(NAME, VERSION)]


async def test_what_could_not_be_asked_is_asked_again_ever_later(shelf: Shelf) -> None:
    """30 seconds, doubling to an hour; what was known stays, and the problem is told."""
    await shelf.read(wanted=True)
    waits = []
    for _ in range(9):
        await shelf.in_vain()
        [row] = await shelf.run(
            "SELECT extract(epoch FROM due_time - clock_timestamp()) AS wait FROM models"
        )
        waits.append(float(row.wait))
    expected = [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    for wait, least in zip(waits, expected, strict=True):
        assert least - 5 <= wait <= least * 1.1 + 5
    assert (await shelf.read()).problem == "It is away."
    await shelf.read(wanted=True)  # somebody waits for it
    [row] = await shelf.run("SELECT due_time - clock_timestamp() AS wait FROM models")
    assert 25 < row.wait.total_seconds() <= 30
    await shelf.told()
    await shelf.in_vain(why="Again.")
    found = await shelf.read()
    assert found.outcome == Answer.OUTCOME_FOUND
    assert found.model.sync_problem == "Again."


async def test_a_document_that_can_not_be_used_is_a_problem(shelf: Shelf) -> None:
    """The model is not known by it, and stays as it was if it was known."""
    await shelf.read(wanted=True)
    empty = pb.ProviderModel()
    empty.openapi_schema.update({"components": {}})
    await shelf.told(openapi_schema=empty.openapi_schema)
    assert (await shelf.read()).problem == "It tells no schema of its inputs."
    await shelf.told()
    await shelf.told(openapi_schema=empty.openapi_schema)
    found = await shelf.read()
    assert found.outcome == Answer.OUTCOME_FOUND
    assert "prompt" in found.model.input_schema["properties"]


async def test_the_unknown_are_bounded(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest that are missing make room; where none are, no more are taken."""
    monkeypatch.setattr(catalogue_writes, "MOST_UNKNOWN", 3)
    monkeypatch.setattr(catalogue_writes, "FULL_FOR", 0.0)
    for number in range(3):
        await shelf.read(f"o/m{number}", wanted=True)
    assert "Too many" in (await shelf.read("o/m3", wanted=True)).problem
    await shelf.missing("o/m1")
    assert not (await shelf.read("o/m3", wanted=True)).problem
    names = {row.name for row in await shelf.run("SELECT name FROM models")}
    assert names == {"o/m0", "o/m2", "o/m3"}


async def test_callers_add_only_so_many_within_a_minute(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs calls of the provider, of versions too that nobody has; operators are not held
    up, and soon nobody is."""
    monkeypatch.setattr(catalogue_writes, "MOST_NEW", 3)
    monkeypatch.setattr(catalogue_writes, "FULL_FOR", 0.0)
    for digit in "ab":
        assert not (await shelf.read(version=digit * 64, wanted=True)).problem
        await shelf.missing(version=digit * 64)
    for name, version in ((NAME, "c" * 64), ("o/m", "")):
        assert "Too many" in (await shelf.read(name, version, wanted=True)).problem
    assert (await shelf.writes.sync(["o/sync"]))[0] == 1
    for table in ("models", "model_versions"):
        await shelf.run(f"UPDATE {table} SET create_time = create_time - interval '1 minute'")
    assert not (await shelf.read("o/m", wanted=True)).problem


async def test_what_the_provider_does_not_tell_is_as_it_was_shipped_last(shelf: Shelf) -> None:
    """Prices change with a new version of this project, also of models that were read long ago."""
    await shelf.read(SCHNELL, wanted=True)
    await shelf.told(SCHNELL, description="As of today")
    before = (await shelf.read(SCHNELL)).revision
    await shelf.writes.begin()
    found = await shelf.read(SCHNELL, known=before)
    assert found.model.price.usd == 0.003
    assert found.model.output_kind == model_pb2.Model.OUTPUT_KIND_IMAGE
    assert found.model.description == "As of today"
    await shelf.writes.begin()
    unchanged = await shelf.read(SCHNELL, known=found.revision)
    assert unchanged.outcome == Answer.OUTCOME_UNCHANGED


async def test_a_wrong_name_is_answered_with_those_much_like_it(database_url: str) -> None:
    """Also of a wrong owner."""
    async with shelf_at(database_url, "catalogue") as shelf:
        await shelf.writes.begin()
        for wrong in ("black-forest-labs/flux-schnel", "flux/flux-schnell"):
            assert SCHNELL in (await shelf.read(wrong)).similar_names, wrong
        assert list((await shelf.read("zzzz/qqqq")).similar_names) == []


async def test_pages_go_by_name_and_words_of_a_query(shelf: Shelf) -> None:
    """Each word in name or description, in any case; a token is of one filter."""
    await shelf.writes.begin()
    names, token = [], ""
    while True:
        page = await shelf.listed(page_size=5, page_token=token)
        names += [each.name for each in page.models]
        token = page.next_page_token
        if not token:
            break
        with pytest.raises(PageTokenInvalid):
            await shelf.listed(page_token=token, query="flux")
    assert names == sorted(names)
    assert len(names) == 17
    found = await shelf.listed(query="FLUX fastest")
    assert [each.name for each in found.models] == [SCHNELL]
    assert not (await shelf.listed(query="100%_")).models
    sound = await shelf.listed(output_kind=model_pb2.Model.OUTPUT_KIND_AUDIO)
    assert [each.name for each in sound.models] == ["minimax/speech-02-turbo"]
    for bad in ("x", "W10", "!!", "WyIiLCAiXHUwMDAwIl0"):
        with pytest.raises(PageTokenInvalid):
            await shelf.listed(page_token=bad)


async def test_run_times_are_those_of_recent_jobs(shelf: Shelf) -> None:
    """Of at least five; of a version, those that named it so."""
    await shelf.read(wanted=True)
    await shelf.told(example_seconds=60.0)
    for _ in range(5):
        job_id, epoch = await shelf.bench.submitted(model=NAME)
        await shelf.bench.succeeded(job_id)
        await shelf.bench.complete(job_id, epoch)
    measured = (await shelf.read()).model.run_time
    assert measured.runs_counted == 5
    assert measured.p90.ToTimedelta() >= measured.p50.ToTimedelta()
    assert (await shelf.listed()).models[0].run_time.runs_counted == 5


async def test_a_cover_that_is_replaced_or_gone_is_deleted(shelf: Shelf) -> None:
    """One that could not be fetched leaves the old one."""
    await shelf.read(wanted=True)
    await shelf.told(cover_source="https://x/1.webp", cover_object_key="covers/1")
    assert (await shelf.read()).cover_object_key == "covers/1"
    assert list((await shelf.listed()).covered_names) == [NAME]
    await shelf.told(cover_source="https://x/2.webp")
    assert (await shelf.read()).cover_object_key == "covers/1"
    await shelf.run("UPDATE models SET due_time = clock_timestamp()")
    request = pb.TakeDueModelsRequest(worker_id="w", limit=1)
    [due] = (await shelf.service.TakeDueModels(request, None)).models
    assert due.cover_source == "https://x/1.webp"
    await shelf.told(cover_source="https://x/2.webp", cover_object_key="covers/2")
    assert await shelf.doomed() == ["covers/1"]
    await shelf.told(cover_source="")
    assert (await shelf.read()).cover_object_key == ""
    assert await shelf.doomed() == ["covers/2"]


async def test_a_cover_that_is_being_deleted_is_not_named_again(shelf: Shelf) -> None:
    """A record that comes late tells of one that another has replaced since."""
    await shelf.read(wanted=True)
    for number in "12":
        await shelf.told(cover_source=f"https://x/{number}", cover_object_key=f"covers/{number}")
    await shelf.told(cover_source="https://x/1", cover_object_key="covers/1")
    assert (await shelf.read()).cover_object_key == "covers/2"
    assert await shelf.doomed() == ["covers/1"]


async def test_a_cover_that_no_model_is_to_have_is_deleted(shelf: Shelf) -> None:
    """That of a model which can not be used, or was given up meanwhile."""
    await shelf.read(wanted=True)
    await shelf.told(official=False, version="", cover_object_key="covers/1")
    await shelf.told("o/gone", cover_object_key="covers/2")
    unusable = pb.ProviderModel()
    unusable.openapi_schema.update({"components": {}})
    await shelf.told(openapi_schema=unusable.openapi_schema, cover_object_key="covers/3")
    assert await shelf.doomed() == ["covers/1", "covers/2", "covers/3"]
    assert (await shelf.read()).cover_object_key == ""
