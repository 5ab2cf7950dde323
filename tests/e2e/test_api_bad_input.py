"""Is bad input of every kind refused as documented, the same over gRPC and over REST?

The tables pair what is sent with what it is refused as. Nothing refused leaves a row behind, and
strings that only look dangerous are kept as they are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
import sqlalchemy as sa
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from sqlalchemy.ext.asyncio import create_async_engine

from devstack.testing import Stack
from gateway.domain.inputs import joined
from mediagen.v1 import generation_service_pb2 as pb2
from tests.e2e.api_calls import (
    ARTIFACT_NOT_FOUND,
    JOB_NOT_FOUND,
    MODEL,
    NO_JOB,
    PAGE_TOKEN_INVALID,
    REQUEST_ID_REUSED,
    SERVICE,
    Json,
    Refusal,
    completed,
    finished,
    generate,
    invalid,
    refused,
    refused_over_http,
)

TYPE_JSON = {"content-type": "application/json"}
SDXL = "stability-ai/sdxl"  # takes words beside the prompt, and makes pictures of any size
SOUND = {"prompt": "a sound request", "model": MODEL}
VERSION = "0123456789abcdef" * 4


def struct(**members: Any) -> Struct:
    """A Struct of these."""
    made = Struct()
    made.update(members)
    return made


def nested(levels: int) -> Json:
    """An object *levels* deep."""
    made: Json = {"x": 1}
    for _ in range(levels - 1):
        made = {"x": made}
    return made


async def rows(stack: Stack) -> dict[str, int]:
    """How many rows there are of what a submission could leave behind."""
    engine = create_async_engine(stack.database_url)
    query = """
        SELECT (SELECT count(*) FROM jobs) AS jobs,
               (SELECT count(*) FROM events WHERE revision = 1) AS firsts,
               (SELECT count(*) FROM events e LEFT JOIN jobs j USING (job_id)
                WHERE j.job_id IS NULL) AS orphans
    """
    async with engine.connect() as connection:
        [found] = (await connection.execute(sa.text(query))).mappings().all()
    await engine.dispose()
    return dict(found)


@pytest.fixture
async def nothing_is_stored(stack: Stack) -> AsyncIterator[None]:
    """Around a test that has everything refused."""
    before = await rows(stack)
    yield
    after = await rows(stack)
    assert after == before
    assert (after["jobs"], 0) == (after["firsts"], after["orphans"])


BAD_MODELS = [
    "",
    " ",
    "nonsense",
    "owner/",
    "/name",
    "a/b/c",
    "a b/c",
    " a/b",
    "a/b ",
    "a/b\n",
    "a/b:",
    "a/b:latest",
    f"a/b:{VERSION[:-1]}",
    f"a/b:{VERSION}0",
    f"a/b:{VERSION.upper()}",
    "../../etc/passwd",
    "a/../b",
    "-a/b",
    "ä/b",
    "a/\u202eb",
    "http://a/b",
    "a/b?x=1",
    "a/b\x00",
    "a" * 300 + "/b",
]
BAD_SUBMITS: dict[str, tuple[Json, tuple[str, ...]]] = {
    "no prompt and no input": ({"model": MODEL}, ("",)),
    "an empty prompt": ({"prompt": ""}, ("",)),
    "an empty prompt and empty input": ({"prompt": "", "input": {}}, ("",)),
    "a prompt of 1 MB": ({"prompt": "x" * 2**20}, ("prompt",)),
    "a prompt one character too long": ({"prompt": "é" * 32_769}, ("prompt",)),
    "a prompt with NUL": ({"prompt": "a\x00b"}, ("prompt",)),
    "the prompt in both places": ({"input": {"prompt": "again"}}, ("",)),
    "a request id with a space": ({"request_id": "a b"}, ("request_id",)),
    "a request id that is too long": ({"request_id": "a" * 129}, ("request_id",)),
    "a request id with a line end": ({"request_id": "a\n"}, ("request_id",)),
    "no time at all": ({"timeout": "0s"}, ("timeout",)),
    "a negative timeout": ({"timeout": "-5s"}, ("timeout",)),
    "a timeout a little too short": ({"timeout": "9.999s"}, ("timeout",)),
    "a timeout of thirty years": ({"timeout": "1000000000s"}, ("timeout",)),
    "a label's key in capitals": ({"labels": {"TEAM": "x"}}, ('labels["TEAM"]',)),
    "a label's key that is empty": ({"labels": {"": "x"}}, ('labels[""]',)),
    "a label's value that is too long": ({"labels": {"a": "x" * 257}}, ('labels["a"]',)),
    "too many labels": ({"labels": {f"k{n}": "" for n in range(33)}}, ("labels",)),
    "a label with NUL": ({"labels": {"a": "\x00"}}, ('labels["a"]',)),
    "an input with NUL": ({"input": {"a": {"b": ["\x00"]}}}, ("input.a.b[0]",)),
    "an input's name with NUL": ({"input": {"\x00": 1}}, ('input["\\u0000"]',)),
    "a number beyond 2^53": ({"input": {"seed": 2**60}}, ("input.seed",)),
    "a negative one": ({"input": {"seed": -(2**60)}}, ("input.seed",)),
    "a fraction beyond 2^53": ({"input": {"seed": 1e300}}, ("input.seed",)),
    "input too deep": ({"input": nested(17)}, ("input" + ".x" * 16,)),
    "input too large": ({"input": {"x": "y" * 262_144}}, ("input",)),
    "everything at once": (
        {
            "request_id": "a b",
            "model": "nonsense",
            "prompt": "x" * 40_000,
            "input": {"prompt": "again", "seed": 2**60},
            "timeout": "1s",
            "labels": {"TEAM": "x"},
        },
        ("", "request_id", "model", "prompt", "input.seed", "timeout", 'labels["TEAM"]'),
    ),
}
BAD_SUBMITS |= {f"the model {each[:40]!r}": ({"model": each}, ("model",)) for each in BAD_MODELS}


@pytest.mark.usefixtures("nothing_is_stored")
async def test_a_bad_submission_names_every_field_at_fault(
    stub: Any, http: httpx.AsyncClient
) -> None:
    """INVALID_ARGUMENT with the same fields on both roads."""
    wrong = []
    for name, (given, fields) in BAD_SUBMITS.items():
        body = given if name.startswith("no prompt") else {**SOUND, **given}
        by_grpc = await refused(stub.SubmitJob(ParseDict(body, pb2.SubmitJobRequest())))
        by_rest = refused_over_http(await http.post("/api/v1/generate", json=body))
        # Strict parsing refuses input before the rules over the whole message can be asked.
        rest_fields = fields[1:] if name == "everything at once" else fields
        if by_grpc != invalid(*fields):
            wrong.append((name, "gRPC", by_grpc))
        if by_rest != invalid(*rest_fields):
            wrong.append((name, "REST", by_rest))
    assert not wrong


@pytest.mark.usefixtures("nothing_is_stored")
async def test_what_only_grpc_can_say_is_refused_there(stub: Any) -> None:
    """Numbers that JSON does not have, values of no kind, enum values and durations of no meaning,
    and bytes that are no message."""
    none = Struct(fields={"x": Value(), "y": Value(list_value=ListValue(values=[Value()]))})
    for request, fields in (
        (pb2.SubmitJobRequest(input=struct(x=float("nan"))), ("input.x",)),
        (pb2.SubmitJobRequest(input=struct(x=[float("inf")])), ("input.x[0]",)),
        (pb2.SubmitJobRequest(input=none), ("input.x", "input.y[0]")),
        (pb2.SubmitJobRequest(priority=99), ("priority",)),  # type: ignore[arg-type]
        (pb2.SubmitJobRequest(timeout=Duration(seconds=60, nanos=-1)), ("timeout",)),
        (pb2.SubmitJobRequest(timeout=Duration(seconds=-(2**62))), ("timeout",)),
    ):
        request.MergeFrom(pb2.SubmitJobRequest(**SOUND))  # type: ignore[arg-type]
        assert await refused(stub.SubmitJob(request)) == invalid(*fields)


@pytest.mark.usefixtures("nothing_is_stored")
@pytest.mark.parametrize(
    "raw", [b"\xff\xff\xff", b"\x12\x03a/b\x1a\x02\xff\xfe", b"\x12\x03a/b\x1a\x09x"]
)
async def test_bytes_that_are_no_message_are_refused(stack: Stack, raw: bytes) -> None:
    """Not a message, a prompt that is not UTF-8, a message cut short: in our words."""
    for address in (stack.gateway_address, stack.edge_url.removeprefix("http://")):
        async with grpc.aio.insecure_channel(address) as channel:
            told = await refused(channel.unary_unary(f"/{SERVICE}/SubmitJob")(raw))
            assert told == invalid("")
            assert "DecodeError" not in told.message
            watch = channel.unary_stream(f"/{SERVICE}/WatchJob")(b"\x0a\x02\xff\xfe")
            assert await refused(watch) == invalid("")


OF_MODEL = b'{"model": "%b", ' % MODEL.encode()
JSON_BODIES: list[tuple[bytes | Json, tuple[str, ...]]] = [
    # Wrong types.
    ({**SOUND, "prompt": 7}, ("prompt",)),
    ({**SOUND, "model": ["a/b"]}, ("model",)),
    ({**SOUND, "input": "steps=4"}, ("input",)),
    ({**SOUND, "input": []}, ("input",)),
    ({**SOUND, "labels": {"a": 1, "b": None}}, ('labels["a"]', 'labels["b"]')),
    ({**SOUND, "timeout": 90}, ("timeout",)),
    ({**SOUND, "timeout": {"seconds": 90}}, ("timeout",)),
    ({**SOUND, "timeout": "soon"}, ("timeout",)),
    ({**SOUND, "timeout": "1e3s"}, ("timeout",)),
    ({**SOUND, "timeout": "6_0s"}, ("timeout",)),
    ({**SOUND, "timeout": " 60s"}, ("timeout",)),
    ({**SOUND, "timeout": "٦٠s"}, ("timeout",)),
    ({**SOUND, "priority": "high"}, ("priority",)),
    ({**SOUND, "priority": 9}, ("priority",)),
    ({**SOUND, "request_id": 12}, ("request_id",)),
    # Unknown keys, twice given keys, and both spellings of one.
    ({**SOUND, "num_outputs": 4}, ("num_outputs",)),
    ({**SOUND, "promt": "x", "Model": "a/b"}, ("promt", "Model")),
    ({**SOUND, "job_id": NO_JOB}, ("job_id",)),
    ({**SOUND, "labels": {"a": {"b": "c"}}}, ('labels["a"]',)),
    ({**SOUND, "request_id": "a", "requestId": "b"}, ("request_id",)),
    (OF_MODEL + b'"prompt": "x", "prompt": "y"}', ("prompt",)),
    (OF_MODEL + b'"prompt": "p", "input": {"x": {"k": 1, "k": 1}}}', ("input.x.k",)),
    # Numbers and characters that JSON can spell and nobody can mean.
    (OF_MODEL + b'"input": {"x": NaN, "y": -Infinity}}', ("input.x", "input.y")),
    (OF_MODEL + b'"input": {"x": 1e999}}', ("input.x",)),
    (OF_MODEL + b'"input": {"x": 9007199254740993}}', ("input.x",)),
    (OF_MODEL + b'"input": {"x": ' + b"9" * 6000 + b"}}", ("input.x",)),
    (OF_MODEL + b'"prompt": "\\ud83d"}', ("prompt",)),
    (OF_MODEL + b'"input": {"x": "\\udc00"}}', ("input.x",)),
    (OF_MODEL + b'"prompt": "x", "labels": {"a": "\\ud800"}}', ('labels["a"]',)),
    # No JSON object at all.
    (b"", ("",)),
    (b"   ", ("",)),
    (b"null", ("",)),
    (b"[]", ("",)),
    (b'"prompt"', ("",)),
    (b"prompt=x&model=a/b", ("",)),
    (b'{"model": "a/b", "prompt": "x"', ("",)),
    (b"{'model': 'a/b'}", ("",)),
    (b'{"model": "a/b", "prompt": "x",}', ("",)),
    (b'{"model": "a/b", "prompt": "a\nb"}', ("",)),
    (b'\xff\xfe{"model": "a/b"}', ("",)),
    (b'\xef\xbb\xbf{"model": "a/b", "prompt": "x"}', ("",)),
    (b"[" * 100_000, ("",)),
    (b'{"x":' * 100_000, ("",)),
]  # fmt: skip


@pytest.mark.usefixtures("nothing_is_stored")
async def test_a_body_that_is_not_the_documented_json_is_refused(http: httpx.AsyncClient) -> None:
    """400 with the fields at fault; nothing is dropped, rounded or guessed."""
    wrong = []
    for body, fields in JSON_BODIES:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await http.post("/api/v1/generate", content=raw, headers=TYPE_JSON)
        told = refused_over_http(answer)
        if told != invalid(*fields):
            wrong.append((raw[:60], told))
    assert not wrong


@pytest.mark.usefixtures("nothing_is_stored")
async def test_bodies_of_other_kinds_and_sizes_are_refused(http: httpx.AsyncClient) -> None:
    """415 for what is not said to be JSON in UTF-8, 413 beyond 2 MiB, with and without a length."""
    body = json.dumps(SOUND).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=x"):
        answer = await http.post("/api/v1/generate", content=body, headers={"content-type": kind})
        assert refused_over_http(answer, 415).code == "INVALID_ARGUMENT"
    assert (await http.post("/api/v1/generate", content=body)).status_code == 415

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 100_000

    for huge in (b" " * 3_000_000, chunks()):
        answer = await http.post("/api/v1/generate", content=huge, headers=TYPE_JSON)
        assert refused_over_http(answer, 413).code == "INVALID_ARGUMENT"


@pytest.mark.usefixtures("nothing_is_stored")
async def test_a_wish_in_the_url_is_not_dropped(http: httpx.AsyncClient) -> None:
    """A query beside the body would be ignored, and the wrong thing paid for."""
    for path in ("/api/v1/generate", f"/api/v1/jobs/{NO_JOB}:cancel"):
        answer = await http.post(path, params={"num_outputs": "4", "model": "a/b"}, json=SOUND)
        assert refused_over_http(answer) == invalid("num_outputs", "model")


STRANGE_BUT_SOUND = [
    "'; DROP TABLE jobs; --",
    '" OR 1=1 /*',
    "<script>alert(1)</script>&amp;<!--",
    "%s %n %d {0} {x!r} ${HOME} $(id) `id` {{7*7}}",
    "\x01\x02\x07\x08\x1b[31mred\x1b[0m\x7f\x9f",
    "line\r\nline\ttab\u2028\u2029",
    "\u202eright to left\u2066 zero\u200bwidth \ufeffbom \ufffe\uffff",
    "\U0001f469\u200d\U0001f680" * 3 + "🎨" * 10_000,
    "Z͑ͫ̓a̴l̡g̛o é ｆｕｌｌ ",
    "../../../etc/passwd\\..\\x",
    "null",
    " ",
    "x" * 32_768,
]


async def test_strange_strings_are_kept_as_they_are(stub: Any, http: httpx.AsyncClient) -> None:
    """As prompt, label and input, over REST and gRPC, in the job, the list and the search."""

    async def check(number: int, text: str) -> None:
        label = text[:60]
        labels = {"strange": label, "number": str(number)}
        input_ = {"width": 256, "height": 256, "negative_prompt": text[:1000]}
        job = await generate(http, text, model=SDXL, labels=labels, input=input_)
        wanted = pb2.SubmitJobRequest(model=SDXL, prompt=text, labels=labels)
        wanted.input.update(input_)
        by_grpc = (await stub.SubmitJob(wanted)).job
        for job_id in (job["job_id"], by_grpc.job_id):
            kept = (await http.get(f"/api/v1/status/{job_id}")).json()["request"]
            assert (kept["prompt"], kept["labels"], kept["input"]) == (text, labels, input_)
            request = (await stub.GetJob(pb2.GetJobRequest(job_id=job_id))).job.request
            assert (request.prompt, request.labels["strange"]) == (text, label)
        params = {"labels": [f"strange={label}", f"number={number}"], "prompt_contains": label}
        listed = (await http.get("/api/v1/jobs", params=params)).json()["jobs"]
        assert {each["job_id"] for each in listed} == {job["job_id"], by_grpc.job_id}
        assert {each["request"]["prompt"] for each in listed} == {text}
        await stub.CancelJob(pb2.CancelJobRequest(job_id=by_grpc.job_id))
        assert (await finished(http, job["job_id"]))["state"] == "STATE_COMPLETED"

    await asyncio.gather(*(check(n, text) for n, text in enumerate(STRANGE_BUT_SOUND)))


@pytest.mark.usefixtures("nothing_is_stored")
async def test_strange_names_of_inputs_are_refused_by_name(
    stub: Any, http: httpx.AsyncClient
) -> None:
    """No model takes them; the same is said over REST and gRPC, as it can be shown."""
    for text in STRANGE_BUT_SOUND:
        body = {**SOUND, "input": {text[:50]: [1, 2.5, True, None]}}
        by_rest = refused_over_http(await http.post("/api/v1/generate", json=body))
        by_grpc = await refused(stub.SubmitJob(ParseDict(body, pb2.SubmitJobRequest())))
        assert by_rest == by_grpc == invalid(joined("input", text[:50]))


async def test_whole_numbers_stay_whole(http: httpx.AsyncClient) -> None:
    """Up to 2^53, in what is shown and in what the model gets."""
    for seed in (4, 2**53, -(2**53)):
        given = {"seed": seed, "guidance_scale": 4.5}
        job = await generate(http, "whole numbers", input=given)
        kept = job["request"]["input"]
        assert json.dumps(kept, sort_keys=True) == json.dumps(given, sort_keys=True)


BAD_LISTS: dict[str, tuple[Json, Refusal]] = {
    "a negative page size": ({"page_size": -1}, invalid("page_size")),
    "the smallest page size": ({"page_size": -(2**31)}, invalid("page_size")),
    "a token of junk": ({"page_token": "junk"}, PAGE_TOKEN_INVALID),
    "a token of base64 junk": ({"page_token": "WzEsMiwzXQ"}, PAGE_TOKEN_INVALID),
    "a token with hostile text": ({"page_token": "' OR 1=1 --"}, PAGE_TOKEN_INVALID),
    "a token that is too long": ({"page_token": "a" * 1025}, invalid("page_token")),
    "the state of no meaning": ({"states": ["STATE_UNSPECIFIED"]}, invalid("states[0]")),
    "too many states": ({"states": ["STATE_FAILED"] * 11}, invalid("states")),
    "a label without a value": ({"labels": ["a=b", "a"]}, invalid("labels[1]")),
    "a label in capitals": ({"labels": ["A=b"]}, invalid("labels[0]")),
    "two values of one label": ({"labels": ["a=b", "a=c"]}, invalid("labels[1]")),
    "a model with NUL": ({"model": "a\x00"}, invalid("model")),
    "a model that is too long": ({"model": "a" * 301}, invalid("model")),
    "a search that is too long": ({"prompt_contains": "a" * 201}, invalid("prompt_contains")),
    "a search for NUL": ({"prompt_contains": "\x00"}, invalid("prompt_contains")),
    "two at once": (
        {"page_size": -1, "labels": ["A"]},
        invalid("page_size", "labels[0]"),
    ),
}


@pytest.mark.usefixtures("nothing_is_stored")
async def test_a_bad_list_is_refused(stub: Any, http: httpx.AsyncClient) -> None:
    """The same on both roads."""
    wrong = []
    for name, (given, expected) in BAD_LISTS.items():
        by_grpc = await refused(stub.ListJobs(ParseDict(given, pb2.ListJobsRequest())))
        by_rest = refused_over_http(await http.get("/api/v1/jobs", params=given))
        if by_grpc != expected or by_rest != expected:
            wrong.append((name, by_grpc, by_rest))
    assert not wrong


@pytest.mark.parametrize(
    "query",
    [
        "states=STATE_DONE",
        "states=completed",
        "states=99",
        "page_size=many",
        "page_size=1.5",
        "page_size=99999999999",
        "create_time_from=yesterday",
        "create_time_from=2026-13-01T00:00:00Z",
        "nonsense=1",
        "filter=state%3Dx",
        "prompt_contains=%ff%fe",
        "model=%ED%A0%80",
    ],
)
async def test_a_query_that_can_not_be_read_is_refused(http: httpx.AsyncClient, query: str) -> None:
    """400, and not the whole list as if nothing had been asked for."""
    told = refused_over_http(await http.get(f"/api/v1/jobs?{query}"))
    assert told.code == "INVALID_ARGUMENT"


async def test_a_page_token_belongs_to_its_filter(stub: Any, http: httpx.AsyncClient) -> None:
    """With another filter it is refused; with another page size it is not."""
    for n in range(2):
        await generate(http, f"token {n}", labels={"set": "tokens"})
    params = {"labels": "set=tokens", "page_size": "1"}
    token = (await http.get("/api/v1/jobs", params=params)).json()["next_page_token"]
    assert token
    other = {"page_token": token, "model": MODEL, **params}
    assert refused_over_http(await http.get("/api/v1/jobs", params=other)) == PAGE_TOKEN_INVALID
    cut = pb2.ListJobsRequest(page_token=token[:-3], labels=["set=tokens"])
    assert await refused(stub.ListJobs(cut)) == PAGE_TOKEN_INVALID
    larger = await http.get("/api/v1/jobs", params={**params, "page_token": token, "page_size": 9})
    assert len(larger.json()["jobs"]) == 1


async def test_a_request_id_belongs_to_its_request(stub: Any, http: httpx.AsyncClient) -> None:
    """Again with the same body: the same job. With another: ALREADY_EXISTS, or 409, with its id."""
    body = {**SOUND, "request_id": "mine-1", "input": {"num_outputs": 2}, "timeout": "60s"}
    job = (await http.post("/api/v1/generate", json=body)).json()
    again = {
        **body,
        "input": {"num_outputs": 2.0},
        "timeout": "60.000s",
        "priority": "PRIORITY_NORMAL",
    }
    assert (await http.post("/api/v1/generate", json=again)).json()["job_id"] == job["job_id"]
    same = await stub.SubmitJob(ParseDict(again, pb2.SubmitJobRequest()))
    assert same.job.job_id == job["job_id"]
    for change in ({"prompt": "other"}, {"input": {"num_outputs": 3}}, {"timeout": "61s"}):
        other = {**body, **change}
        answer = await http.post("/api/v1/generate", json=other)
        for told in (
            refused_over_http(answer),
            await refused(stub.SubmitJob(ParseDict(other, pb2.SubmitJobRequest()))),
        ):
            assert told == REQUEST_ID_REUSED
            assert told.metadata == {"request_id": "mine-1", "job_id": job["job_id"]}


NO_JOBS = [NO_JOB, NO_JOB.upper(), "nonsense", "0" * 36, "' OR 1=1", "..", "ä", "%00", "x" * 64]


@pytest.mark.usefixtures("nothing_is_stored")
async def test_what_is_no_jobs_id_is_not_found(stub: Any, http: httpx.AsyncClient) -> None:
    """On every method; what can not even be an id is refused as such."""
    wrong = []
    for job_id in NO_JOBS:
        calls = [
            stub.GetJob(pb2.GetJobRequest(job_id=job_id)),
            stub.CancelJob(pb2.CancelJobRequest(job_id=job_id)),
            stub.WatchJob(pb2.WatchJobRequest(job_id=job_id)),
            stub.WatchJobEvents(pb2.WatchJobEventsRequest(job_id=job_id)),
            stub.DownloadArtifact(pb2.DownloadArtifactRequest(job_id=job_id)),
        ]
        wrong += [(job_id, told) for c in calls if (told := await refused(c)) != JOB_NOT_FOUND]
    for job_id in ("", "x" * 65):
        told = await refused(stub.GetJob(pb2.GetJobRequest(job_id=job_id)))
        if told != invalid("job_id"):
            wrong.append((job_id, told))
    for job_id in (NO_JOB, "nonsense", "'%20OR%201=1", "%C3%A4"):
        job = f"/api/v1/jobs/{job_id}"
        answers = [await http.get(f"/api/v1/status/{job_id}"), await http.post(f"{job}:cancel")]
        answers += [await http.get(job + end) for end in ("", ":watch", ":events", "/artifacts/0")]
        told_over_http = [refused_over_http(each) for each in answers]
        wrong += [(job_id, each) for each in told_over_http if each != JOB_NOT_FOUND]
    assert not wrong


@pytest.mark.parametrize(
    "path",
    ["/api/v1/status/", "/api/v1/status/a%2Fb", "/api/v1/status/..%2f..", "/api/v1/jobs/a:fly"],
)
async def test_a_path_that_is_none_is_refused(http: httpx.AsyncClient, path: str) -> None:
    """A status of the edge, and nothing else."""
    told = refused_over_http(await http.get(path))
    assert told.code in ("NOT_FOUND", "INVALID_ARGUMENT")


async def test_artifacts_that_are_not_there_are_not_found(
    stub: Any, http: httpx.AsyncClient
) -> None:
    """A negative index is invalid, a larger one and one of an unfinished job are not found."""
    job_id = (await completed(http, "one artifact"))["job_id"]
    early = (await generate(http, "none yet"))["job_id"]
    for job, index, expected in (
        (job_id, 1, ARTIFACT_NOT_FOUND),
        (job_id, 10_000, ARTIFACT_NOT_FOUND),
        (job_id, 10_001, invalid("index")),
        (job_id, 2**31 - 1, invalid("index")),
        (job_id, -1, invalid("index")),
        (early, 0, ARTIFACT_NOT_FOUND),
    ):
        request = pb2.DownloadArtifactRequest(job_id=job, index=index)
        assert await refused(stub.DownloadArtifact(request)) == expected
        # In a path an index that can not be one names nothing.
        answer = await http.get(f"/api/v1/jobs/{job}/artifacts/{index}")
        assert refused_over_http(answer) == ARTIFACT_NOT_FOUND
    for index_text in ("first", "0x0", "1.0", "٣"):
        answer = await http.get(f"/api/v1/jobs/{job_id}/artifacts/{index_text}")
        assert refused_over_http(answer) == ARTIFACT_NOT_FOUND


async def test_a_watch_from_where_nothing_is(stub: Any, http: httpx.AsyncClient) -> None:
    """A negative revision is invalid; one ahead of the job is told as a gap, with a snapshot."""
    job = await completed(http, "watched from nowhere")
    job_id, last = job["job_id"], job["revision"]
    negative = pb2.WatchJobRequest(job_id=job_id, after_revision=-1)
    assert await refused(stub.WatchJob(negative)) == invalid("after_revision")
    path = f"/api/v1/jobs/{job_id}"
    for end in (":watch", ":events"):
        answer = await http.get(path + end, params={"after_revision": -1})
        assert refused_over_http(answer) == invalid("after_revision")
        answer = await http.get(path + end, params={"after_revision": "x"})
        assert refused_over_http(answer).code == "INVALID_ARGUMENT"
    ahead = pb2.WatchJobRequest(job_id=job_id, after_revision=2**31 - 1)
    gap, snapshot = [each async for each in stub.WatchJob(ahead)]
    assert (gap.gap.from_revision, gap.gap.to_revision) == (last + 1, 2**31 - 1)
    assert snapshot.snapshot.revision == last
    answer = await http.get(f"{path}:watch", params={"after_revision": last + 5})
    first, second = map(json.loads, answer.text.splitlines())
    assert (set(first), set(second)) == ({"gap"}, {"snapshot"})


async def test_canceling_a_final_job_changes_nothing(stub: Any, http: httpx.AsyncClient) -> None:
    """OK with the job as it is. Its id is in the path, and nowhere else."""
    job = await completed(http, "final before the cancel")
    path = f"/api/v1/jobs/{job['job_id']}:cancel"
    assert (await http.post(path)).json() == job
    same = (await stub.CancelJob(pb2.CancelJobRequest(job_id=job["job_id"]))).job
    assert (same.revision, same.HasField("cancel_request_time")) == (job["revision"], False)
    for body, field in (({"job_id": NO_JOB}, "job_id"), ({"force": True}, "force")):
        assert refused_over_http(await http.post(path, json=body)) == invalid(field)
