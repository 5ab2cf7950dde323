"""A job that was given up, from the operator's list to its second life: over REST and gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, cast

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from devstack.testing import Broker, PostgresServer, Stack
from mediagen.v1 import failure_pb2
from mediagen.v1 import operator_service_pb2 as pb
from mediagen.v1.dead_letter_pb2 import DeadLetter, DeadLetterFilter
from mediagen.v1.operator_service_pb2_grpc import OperatorServiceStub
from tests.e2e.api_calls import (
    MODEL,
    NO_JOB,
    PAGE_TOKEN_INVALID,
    Json,
    Refusal,
    caller,
    finished,
    generate,
    invalid,
    refused,
    refused_over_http,
    set_fault,
    stack_of_its_own,
)
from tests.e2e.workers import calls

if TYPE_CHECKING:
    from mediagen.v1.operator_service_pb2_grpc import OperatorServiceAsyncStub

LETTERS = "/api/v1/dead-letters"
LETTER_NOT_FOUND = Refusal("NOT_FOUND", "ERROR_REASON_DEAD_LETTER_NOT_FOUND")
# Doubts are decided soon: the rules are the same with other numbers.
SOON = {"RECONCILE_SETTLE": "0", "RECONCILE_SCAN_GAP": "1", "CREATE_TIMEOUT": "2"}


@pytest.fixture(scope="module")
def own(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A stack whose dead letters are these tests' alone."""
    state = tmp_path_factory.mktemp("dead-letters")
    with stack_of_its_own(postgres, broker, migrated, state, SOON) as started:
        yield started


@pytest.fixture
async def rest(own: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with caller(own) as client:
        yield client


@pytest.fixture
async def operator(own: Stack) -> AsyncIterator[OperatorServiceAsyncStub]:
    """Native gRPC through the edge."""
    address = own.edge_url.removeprefix("http://")
    async with grpc.aio.insecure_channel(address) as channel:
        yield cast("OperatorServiceAsyncStub", OperatorServiceStub(channel))


async def failed(own: Stack, rest: httpx.AsyncClient, prompt: str, fault: str, arg: str) -> str:
    """The id of a job that has failed at its first call."""
    await set_fault(own, prompt, fault, arg=arg, count=1)
    job = await finished(rest, (await generate(rest, prompt))["job_id"])
    assert job["state"] == "STATE_FAILED", job
    return str(job["job_id"])


async def posted(rest: httpx.AsyncClient, verb: str, body: Json) -> Json:
    answer = await rest.post(f"{LETTERS}:{verb}", json=body)
    assert answer.status_code == 200, answer.text
    said: Json = answer.json()
    return said


async def test_a_dead_job_is_listed_shown_and_made_again(
    own: Stack, rest: httpx.AsyncClient, operator: OperatorServiceAsyncStub
) -> None:
    """What cost nothing needs no force; the new job completes, and both name each other."""
    prompt = "refused by the provider"
    old_id = await failed(own, rest, prompt, "status", "403")
    params = {"filter.reasons": "FAILURE_REASON_PROVIDER_REFUSED", "filter.tenant": "default"}
    listed = (await rest.get(LETTERS, params=params)).json()
    assert [each["job_id"] for each in listed["dead_letters"]] == [old_id]
    letter = (await rest.get(f"{LETTERS}/{old_id}")).json()
    assert (letter["state"], letter["charge"]) == ("STATE_DEAD", "CHARGE_NO")
    assert letter["job"]["request"]["prompt"] == prompt
    assert (await rest.get("/api/v1/overview")).json()["dead_jobs"] >= 1
    would = await posted(rest, "redrive", {"job_ids": [old_id], "validate_only": True})
    assert would["results"][0]["redriven_as"] == ""
    (result,) = (await posted(rest, "redrive", {"job_ids": [old_id]}))["results"]
    assert result["outcome"] == "OUTCOME_DONE"
    new = await finished(rest, result["redriven_as"])
    assert (new["state"], new["redrive_of"]) == ("STATE_COMPLETED", old_id)
    assert new["request"]["prompt"] == prompt
    old = (await rest.get(f"/api/v1/status/{old_id}")).json()
    assert (old["state"], old["redriven_as"]) == ("STATE_FAILED", new["job_id"])
    (again,) = (
        await operator.RedriveDeadLetters(pb.RedriveDeadLettersRequest(job_ids=[old_id]))
    ).results
    assert again.outcome == pb.DeadLetterResult.OUTCOME_ALREADY_DONE
    assert again.redriven_as == new["job_id"]
    assert len(calls(own, prompt)) == 1  # what was refused was never made


async def test_what_ran_is_redriven_only_by_force_and_in_bulk(
    own: Stack, rest: httpx.AsyncClient, operator: OperatorServiceAsyncStub
) -> None:
    """By filter, token by token; what is refused does not keep the rest from its turn."""
    ran = [await failed(own, rest, f"ran out of memory {n}", "fail", "E1001") for n in range(3)]
    meant = DeadLetterFilter(reasons=[failure_pb2.FAILURE_REASON_MODEL_FAILED], model=MODEL)
    wanted = pb.RedriveDeadLettersRequest(filter=meant, limit=2)
    first = await operator.RedriveDeadLetters(wanted)
    wanted.page_token = first.next_page_token
    second = await operator.RedriveDeadLetters(wanted)
    results = [*first.results, *second.results]
    assert [each.job_id for each in results] == ran
    assert {each.outcome for each in results} == {pb.DeadLetterResult.OUTCOME_MAY_PAY_TWICE}
    assert second.next_page_token == ""
    body = {"filter": {"reasons": ["FAILURE_REASON_MODEL_FAILED"]}, "force": True, "limit": 1}
    done = await posted(rest, "redrive", body)
    assert done["next_page_token"]
    rest_of_them = await posted(rest, "discard", {"job_ids": ran[1:]})
    assert {each["outcome"] for each in rest_of_them["results"]} == {"OUTCOME_DONE"}
    new = await finished(rest, done["results"][0]["redriven_as"])
    assert (new["state"], new["redrive_of"]) == ("STATE_COMPLETED", ran[0])
    states = [DeadLetter.STATE_DISCARDED]
    gone = await operator.ListDeadLetters(
        pb.ListDeadLettersRequest(filter=DeadLetterFilter(states=states))
    )
    assert [each.job_id for each in gone.dead_letters] == ran[:0:-1]


async def test_a_parked_job_is_seen_everywhere_and_goes_on_by_force(
    own: Stack, rest: httpx.AsyncClient, operator: OperatorServiceAsyncStub
) -> None:
    """The answer was lost, and what the list shows could be this call or another."""
    prompt = "lost and not to be told apart"
    await set_fault(own, prompt, "drop_after_create", count=1)
    await set_fault(own, prompt, "list_lag", arg="60", count=1)
    await set_fault(own, prompt, "data_removal_after", arg="0", count=1)
    job_id = (await generate(rest, prompt))["job_id"]
    async with asyncio.timeout(150):
        while not (seen := (await rest.get("/api/v1/overview")).json())["parked_jobs"]:
            await asyncio.sleep(0.5)
    assert (seen["parked_jobs"], seen["reconciling_jobs"]) == (1, 0)
    parked = pb.ListDeadLettersRequest(filter=DeadLetterFilter(states=[DeadLetter.STATE_PARKED]))
    (letter,) = (await operator.ListDeadLetters(parked)).dead_letters
    assert (letter.job_id, letter.failure.reason) == (
        job_id,
        failure_pb2.FAILURE_REASON_UNRESOLVED,
    )
    health = (await rest.get("/api/v1/health")).json()
    words = {each["name"]: each["message"] for each in health["components"]}
    assert "1 parked" in words["dead_letters"]
    assert 'mediagen_jobs{state="parked"} 1.0' in await figures(own)
    request = pb.RedriveDeadLettersRequest(job_ids=[job_id])
    (refusal,) = (await operator.RedriveDeadLetters(request)).results
    assert refusal.outcome == pb.DeadLetterResult.OUTCOME_MAY_PAY_TWICE
    request.force = True
    (result,) = (await operator.RedriveDeadLetters(request)).results
    assert (result.outcome, result.redriven_as) == (pb.DeadLetterResult.OUTCOME_DONE, job_id)
    job = await finished(rest, job_id)
    assert (job["state"], job["charge"]) == ("STATE_COMPLETED", "CHARGE_YES")
    states = [each["state"] for each in job["attempts"]]
    assert states == ["STATE_WRITTEN_OFF", "STATE_SUCCEEDED"]
    assert len(calls(own, prompt)) == 2
    assert 'mediagen_jobs{state="parked"} 0.0' in await figures(own, after=1.1)


async def figures(own: Stack, after: float = 0.0) -> str:
    """What the store shows to Prometheus."""
    await asyncio.sleep(after)
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(own.plan.metrics_urls[0])
    return answer.text


@pytest.mark.parametrize("verb", ["redrive", "discard"])
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {""}),
        ({"job_ids": [NO_JOB], "filter": {"tenant": "x"}}, {""}),
        ({"filter": {}}, {""}),
        ({"filter": {"tennant": "x"}}, {"filter.tennant"}),
        ({"filter": {"states": ["DEAD"]}}, {"filter.states[0]"}),
        ({"filter": {"states": "STATE_DEAD"}}, {"filter.states"}),
        ({"filter": {"states": ["STATE_UNSPECIFIED"]}}, {"filter.states[0]"}),
        ({"filter": {"create_time_from": "yesterday"}}, {"filter.create_time_from"}),
        ({"filter": {"create_time_from": "2026-13-01T00:00:00Z"}}, {"filter.create_time_from"}),
        ({"filter": {"tenant": "a\x00b"}}, {"filter.tenant"}),
        ({"filter": []}, {"filter"}),
        ({"job_ids": NO_JOB}, {"job_ids"}),
        ({"job_ids": [NO_JOB, NO_JOB]}, {"job_ids"}),
        ({"job_ids": [7, ""]}, {"job_ids[0]"}),
        ({"job_ids": [""]}, {"job_ids[0]"}),
        ({"job_ids": [NO_JOB], "page_token": "x"}, {""}),
        ({"job_ids": [NO_JOB], "limit": 501}, {"limit"}),
        ({"job_ids": [NO_JOB], "limit": 1.5}, {"limit"}),
        ({"job_ids": [NO_JOB], "validate_only": "yes"}, {"validate_only"}),
        ({"job_ids": [NO_JOB], "dry_run": True}, {"dry_run"}),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_body_that_does_not_say_what_is_meant_is_refused(
    rest: httpx.AsyncClient, verb: str, body: Json, fields: set[str]
) -> None:
    """A key that is dropped would widen a filter: nothing is ignored, and nothing is done."""
    answer = await rest.post(f"{LETTERS}:{verb}", json=body)
    assert refused_over_http(answer) == invalid(*fields)


async def test_grpc_tells_every_violation_at_once(operator: OperatorServiceAsyncStub) -> None:
    """The same rules as over REST, and times that no calendar has."""
    wrong = DeadLetterFilter(tenant="x" * 129, charges=cast("Any", [0]))
    wrong.create_time_before.seconds = 2**62
    told = await refused(
        operator.ListDeadLetters(pb.ListDeadLettersRequest(filter=wrong, page_size=-1))
    )
    assert told == invalid(
        "filter.tenant", "filter.charges[0]", "filter.create_time_before", "page_size"
    )
    many = DeadLetterFilter(reasons=[failure_pb2.FAILURE_REASON_INTERNAL] * 2000)
    told = await refused(
        operator.RedriveDeadLetters(
            pb.RedriveDeadLettersRequest(filter=many, job_ids=[NO_JOB] * 2000)
        )
    )
    assert told == invalid("filter.reasons", "job_ids")


async def test_a_list_ignores_no_wish(rest: httpx.AsyncClient) -> None:
    """What it does not know, and a token that it did not give, are refused."""
    for name in ("state", "filter.state", "filter", "page"):
        answer = await rest.get(LETTERS, params={name: "STATE_DEAD"})
        assert answer.status_code == 400, name
    answer = await rest.get(LETTERS, params={"page_token": "made-up"})
    assert refused_over_http(answer) == PAGE_TOKEN_INVALID
    answer = await rest.get(LETTERS, params={"filter.states": "STATE_NONE"})
    assert answer.status_code == 400


@pytest.mark.parametrize("job_id", [NO_JOB, "x", "%25", "'%20OR%201=1", "%F0%9F%A6%8A", "a" * 64])
async def test_an_id_without_a_dead_letter_is_not_found(
    rest: httpx.AsyncClient, operator: OperatorServiceAsyncStub, job_id: str
) -> None:
    """The same on both roads; among many ids it is one result."""
    assert refused_over_http(await rest.get(f"{LETTERS}/{job_id}")) == LETTER_NOT_FOUND
    (result,) = (await posted(rest, "redrive", {"job_ids": [job_id]}))["results"]
    assert result["outcome"] == "OUTCOME_NOT_FOUND"
    told = await refused(operator.GetDeadLetter(pb.GetDeadLetterRequest(job_id=job_id)))
    assert told == LETTER_NOT_FOUND


async def test_pages_of_other_sites_decide_nothing(rest: httpx.AsyncClient) -> None:
    """As for every request that changes something; and a form is not JSON."""
    body = {"job_ids": [NO_JOB]}
    foreign = {"origin": "http://foreign.example"}
    for verb in ("redrive", "discard"):
        answer = await rest.post(f"{LETTERS}:{verb}", json=body, headers=foreign)
        assert answer.status_code == 403
        assert (await rest.post(f"{LETTERS}:{verb}", data=body)).status_code == 415
        assert (await rest.get(f"{LETTERS}:{verb}")).status_code in (404, 405)
        assert (await rest.post(f"{LETTERS}:{verb}?force=true", json=body)).status_code == 400


async def test_the_service_is_listed_and_its_health_is_known(own: Stack) -> None:
    """By reflection and grpc.health.v1, at the gateway and through the edge."""
    for address in (own.gateway_address, own.edge_url.removeprefix("http://")):
        with grpc.insecure_channel(address) as plain:
            shown = ProtoReflectionDescriptorDatabase(plain)
            assert "mediagen.v1.OperatorService" in await asyncio.to_thread(shown.get_services)
        async with grpc.aio.insecure_channel(address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            asked = health_pb2.HealthCheckRequest(service="mediagen.v1.OperatorService")
            assert (await health.Check(asked)).status == health_pb2.HealthCheckResponse.SERVING


async def test_the_overview_names_workers_and_the_account(
    own: Stack, rest: httpx.AsyncClient, operator: OperatorServiceAsyncStub
) -> None:
    """Both roads say the same; the account's name is not its token."""
    await finished(rest, (await generate(rest, "one for the overview"))["job_id"])
    over_http = (await rest.get("/api/v1/overview")).json()
    seen = await operator.GetOverview(pb.GetOverviewRequest())
    assert [each["worker_id"] for each in over_http["workers"]] == [
        each.worker_id for each in seen.workers
    ]
    (provider,) = seen.providers
    assert provider.open
    assert provider.account
    assert "no-account" not in provider.account
    assert "r8_" not in provider.account
    assert seen.running_jobs == 0
