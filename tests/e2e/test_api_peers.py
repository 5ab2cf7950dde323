"""Can a stranger's client use the API with no proto files, by reflection alone?"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from devstack.testing import Stack
from mediagen.v1 import generation_service_pb2 as pb2
from tests.e2e.api_calls import FLUX, SERVICE, SMALL, Json

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture(params=["gateway", "edge"])
def url(request: pytest.FixtureRequest, stack: Stack) -> str:
    """Where the service is: the gateway's port, or the edge's."""
    if request.param == "edge":
        return f"{stack.edge_url}/{SERVICE}"
    return f"http://{stack.gateway_address}/{SERVICE}"


async def buf_curl(empty: Path, url: str, body: Json, *, ok: bool = True) -> str:
    """What `buf curl` prints, in a folder without a single file."""
    curl = await asyncio.create_subprocess_exec(
        Path(sysconfig.get_path("scripts"), "buf"),
        *("curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", json.dumps(body), url),
        cwd=empty,
        env={"HOME": str(empty), "PATH": ""},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await curl.communicate()
    assert (curl.returncode == 0) is ok, errors.decode()
    return (output if ok else errors).decode()


def documents(text: str) -> Iterator[Json]:
    """The JSON objects that stand behind each other in *text*."""
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        yield document
        text = text[end:].strip()


async def test_buf_curl_needs_no_proto_files(url: str, tmp_path: Path) -> None:
    """Health, a submit, and a watch to the end: messages, enums and Struct by reflection."""
    [health] = documents(await buf_curl(tmp_path, f"{url}/GetHealth", {}))
    assert health["status"] == "SERVING"
    wanted = {"prompt": "a beautiful sunset", "model": FLUX, "input": SMALL}
    [answer] = documents(await buf_curl(tmp_path, f"{url}/SubmitJob", wanted))
    job = answer["job"]
    assert job["state"] == "STATE_PENDING"
    watched = await buf_curl(tmp_path, f"{url}/WatchJob", {"jobId": job["jobId"]})
    *_, last = documents(watched)
    final = last.get("update") or last["snapshot"]
    assert final["state"] == "STATE_COMPLETED"
    assert final["artifacts"][0]["sha256"]


async def test_buf_curl_shows_what_is_wrong(url: str, tmp_path: Path) -> None:
    """The code and the words for people, and every detail as bytes."""
    body = {"prompt": "x", "model": "nonsense"}
    told = json.loads(await buf_curl(tmp_path, f"{url}/SubmitJob", body, ok=False))
    assert told["code"] == "invalid_argument"
    assert "model: must be owner/name" in told["message"]
    details = {each["type"]: base64.b64decode(each["value"] + "==") for each in told["details"]}
    info = ErrorInfo.FromString(details["google.rpc.ErrorInfo"])
    assert info.reason == "ERROR_REASON_INVALID_REQUEST"
    bad = BadRequest.FromString(details["google.rpc.BadRequest"])
    assert [each.field for each in bad.field_violations] == ["model"]


def test_the_documented_grpcurl_and_buf_lines_name_what_exists() -> None:
    """grpcurl is not among the tools here: its lines are checked as text, method and fields."""
    text = README.read_text().replace("\\\n", " ")
    lines = re.findall(r"^(?:grpcurl|buf curl) .*$", text, re.MULTILINE)
    assert {line.split()[0] for line in lines} == {"grpcurl", "buf"}
    methods = pb2.DESCRIPTOR.services_by_name["GenerationService"].methods_by_name
    for line in lines:
        found = re.search(r"(localhost:\d+)[ /](mediagen\.v1\.GenerationService)/(\w+)\s*$", line)
        body = re.search(r"-d '([^']*)'", line)
        assert found and body, line
        assert found[2] == SERVICE
        assert set(json.loads(body[1])) <= set(methods[found[3]].input_type.fields_by_name), line
        assert ("-plaintext" in line) or ("--http2-prior-knowledge" in line)
