"""The OpenAPI document says what the API does."""

import json
import re
from typing import Any

import jsonschema
import pytest
from google.protobuf import json_format

from edge.config import DESCRIPTOR, SITE
from edge.rest import read_api
from mediagen.v1 import generation_service_pb2 as service_pb2
from mediagen.v1 import job_pb2
from mediagen.v1 import webhook_endpoint_service_pb2 as endpoint_pb2

Json = dict[str, Any]
METHODS = {"get", "post", "patch", "delete", "head"}


@pytest.fixture(scope="module")
def document() -> Json:
    """The committed document; `tools/proto check` holds it fresh."""
    loaded: Json = json.loads((SITE / "openapi.json").read_text())
    return loaded


def operations(document: Json) -> list[tuple[str, str, Json]]:
    """Each (path, method, operation)."""
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def schema_of(document: Json, name: str) -> Json:
    """A schema that can be used by itself."""
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


def test_every_path_of_the_protos_is_described(document: Json) -> None:
    """The paths are the protos' own, and no path is made up but the probe's. What the provider
    alone calls is left out. A model's name is two segments, which OpenAPI can not say of one."""
    declared = {
        (path.template.replace("{name=*/*}", "{owner}/{name}"), path.http_method.lower())
        for path in read_api(DESCRIPTOR).paths
        if path.rpc != "ReceiveReplicateWebhook"
    }
    described = {(path, method) for path, method, _ in operations(document)}
    assert declared <= described
    extra = described - declared
    assert extra == {("/readyz", "get"), ("/api/v1/jobs/{job_id}/artifacts/{index}", "head")}


def test_operations_have_names_words_and_tags(document: Json) -> None:
    """Generators need unique names, readers a summary."""
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    tags = {tag["name"] for tag in document["tags"]}
    for _, method, operation in operations(document):
        assert method in METHODS
        assert operation["summary"]
        assert set(operation["tags"]) <= tags


def test_every_reference_leads_somewhere(document: Json) -> None:
    """No $ref is left hanging."""
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target


def test_schemas_are_json_schema(document: Json) -> None:
    """3.1 documents use JSON Schema as it is."""
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_path_parameters_are_those_of_the_path(document: Json) -> None:
    """Each variable is described once, and required."""
    for path, _, operation in operations(document):
        described = [p for p in operation.get("parameters", []) if p["in"] == "path"]
        assert sorted(p["name"] for p in described) == sorted(re.findall(r"\{(\w+)\}", path))
        assert all(p["required"] for p in described)


def test_examples_of_a_submit_are_requests_that_parse(document: Json) -> None:
    """What "try it out" sends is what the protos and the schema take."""
    content = document["paths"]["/api/v1/generate"]["post"]["requestBody"]["content"]
    body = content["application/json"]
    assert body["examples"]["sunset"]["value"] == {
        "prompt": "a beautiful sunset",
        "model": "stability-ai/stable-diffusion-3",
    }
    for example in body["examples"].values():
        json_format.ParseDict(example["value"], service_pb2.SubmitJobRequest())
        schema = {**body["schema"], "components": document["components"]}
        jsonschema.validate(example["value"], schema)


def test_examples_of_webhook_endpoints_are_requests_that_parse(document: Json) -> None:
    """For the one that is made, and the one that is changed."""
    for path, method, message in (
        ("/api/v1/webhook-endpoints", "post", endpoint_pb2.CreateWebhookEndpointRequest),
        (
            "/api/v1/webhook-endpoints/{endpoint_id}",
            "patch",
            endpoint_pb2.UpdateWebhookEndpointRequest,
        ),
    ):
        body = document["paths"][path][method]["requestBody"]["content"]["application/json"]
        schema = {**body["schema"], "components": document["components"]}
        for example in body["examples"].values():
            json_format.ParseDict(example["value"], message())
            jsonschema.validate(example["value"], schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"target": {"url": "https://a.example", "event": []}}, schema)


def test_unknown_keys_of_a_submit_are_invalid(document: Json) -> None:
    """A key at the wrong level is refused by the API, and by the document."""
    content = document["paths"]["/api/v1/generate"]["post"]["requestBody"]["content"]
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    with pytest.raises(jsonschema.ValidationError, match="num_outputs"):
        jsonschema.validate({"model": "a/b", "prompt": "x", "num_outputs": 4}, schema)


def test_a_job_as_json_fits_its_schema(document: Json) -> None:
    """What the service prints validates, names and types included."""
    job = job_pb2.Job(job_id="j", state=job_pb2.Job.STATE_COMPLETED, revision=5)
    job.create_time.GetCurrentTime()
    job.request.input.update({"steps": 4})
    job.request.labels["team"] = "x"
    job.attempts.add()
    job.artifacts.add(index=0, url="http://x/0", media_type="image/webp", size_bytes=2**31)
    printed = json_format.MessageToDict(
        job, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    jsonschema.validate(printed, schema_of(document, "Job"))


def test_a_watch_message_is_exactly_one_thing(document: Json) -> None:
    """The oneof is told: never two of them, never none."""
    schema = schema_of(document, "WatchJobResponse")
    jsonschema.validate({"heartbeat": {"revision": 3}}, schema)
    for wrong in ({}, {"heartbeat": {"revision": 3}, "gap": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


def test_errors_are_statuses_under_each_http_code(document: Json) -> None:
    """Every operation names its errors, and their examples fit google.rpc.Status."""
    for path, _, operation in operations(document):
        if path != "/readyz":
            assert {"400", "503", "default"} <= set(operation["responses"])
    assert "409" in document["paths"]["/api/v1/generate"]["post"]["responses"]
    assert "413" in document["paths"]["/api/v1/generate"]["post"]["responses"]
    for response in document["components"]["responses"].values():
        example = response["content"]["application/json"]["example"]
        jsonschema.validate(example, schema_of(document, "google.rpc.Status"))


def test_what_only_http_has_is_described(document: Json) -> None:
    """Ranges and ETags of artifacts, resuming of events, health as a status."""
    artifact = document["paths"]["/api/v1/jobs/{job_id}/artifacts/{index}"]
    assert {"200", "206", "304", "404", "416"} <= set(artifact["get"]["responses"])
    assert "Range" in {p["name"] for p in artifact["get"]["parameters"]}
    assert "content" not in artifact["head"]["responses"]["200"]
    events = document["paths"]["/api/v1/jobs/{job_id}:events"]["get"]
    assert "Last-Event-ID" in {p["name"] for p in events["parameters"]}
    assert list(events["responses"]["200"]["content"]) == ["text/event-stream"]
    all_events = document["paths"]["/api/v1/jobs:events"]["get"]
    assert {"Last-Event-ID", "cursor"} <= {p["name"] for p in all_events["parameters"]}
    assert list(all_events["responses"]["200"]["content"]) == ["text/event-stream"]
    watch = document["paths"]["/api/v1/jobs/{job_id}:watch"]["get"]["responses"]["200"]
    assert set(watch["content"]) == {"application/x-ndjson", "text/event-stream"}
    health = document["paths"]["/api/v1/health"]["get"]["responses"]
    assert health["503"]["content"] == health["200"]["content"]


def test_rules_of_the_protos_are_keywords(document: Json) -> None:
    """protovalidate's limits are visible to whoever reads only this."""
    body = document["paths"]["/api/v1/generate"]["post"]["requestBody"]["content"]
    schema = body["application/json"]["schema"]
    assert "model" in schema["required"]
    assert schema["properties"]["prompt"]["maxLength"] == 32768
    assert schema["properties"]["labels"]["maxProperties"] == 32
    parameters = document["paths"]["/api/v1/jobs"]["get"]["parameters"]
    states = next(p["schema"] for p in parameters if p["name"] == "states")
    assert "STATE_UNSPECIFIED" not in states["items"]["enum"]


def test_what_operators_do_is_described(document: Json) -> None:
    """A filter is dotted parameters in a query, and an object without other keys in a body."""
    listed = document["paths"]["/api/v1/dead-letters"]["get"]
    names = {parameter["name"] for parameter in listed["parameters"]}
    assert {"filter.states", "filter.tenant", "page_size", "page_token"} <= names
    assert document["paths"]["/api/v1/overview"]["get"]["tags"] == ["Operating"]
    redrive = document["paths"]["/api/v1/dead-letters:redrive"]["post"]
    content = redrive["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": document["components"]}
    jsonschema.validate({"filter": {"states": ["STATE_DEAD"]}, "force": True}, schema)
    for wrong in ({"filter": {"state": "STATE_DEAD"}}, {"job_ids": [], "all": True}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
