"""What stands in the document, from top to bottom?"""

import json
from itertools import chain

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools.openapi import errors, over_http
from tools.openapi.descriptors import index
from tools.openapi.operations import Operations
from tools.openapi.schemas import Json, Schemas

PACKAGE = "mediagen.v1"
# WebhookService is for the provider alone.
SERVICES = tuple(
    f"{PACKAGE}.{name}"
    for name in (
        "GenerationService",
        "ModelService",
        "InputService",
        "WebhookEndpointService",
        "OperatorService",
    )
)
INTRODUCTION = """\
Submit a prompt, watch it become media, keep the result.

```
curl localhost:8000/api/v1/generate -H 'content-type: application/json' \\
  -d '{"prompt": "a beautiful sunset", "model": "stability-ai/stable-diffusion-3"}'
```

The same API is served as native gRPC and gRPC-Web on the same port, with reflection. Every error
is a `google.rpc.Status`; the `reason` in its details is for programs, the `message` for people.
Names that the API does not know, in bodies and in queries, are refused and not ignored.
"""


def render(files: FileDescriptorSet, version: str) -> str:
    """The document as JSON text."""
    return json.dumps(build(files, version), indent=1, ensure_ascii=False) + "\n"


def build(files: FileDescriptorSet, version: str) -> Json:
    """The document. `files` must carry their comments."""
    declarations = index(files)
    schemas = Schemas(declarations, PACKAGE)
    paths: dict[str, Json] = {}
    operations = Operations(declarations, schemas)
    for path, method, operation in chain.from_iterable(map(operations.of_service, SERVICES)):
        _finish(operation, method, path)
        paths.setdefault(path, {})[method] = operation
        if operation["operationId"] == "DownloadArtifact":
            paths[path]["head"] = over_http.head_of_download(operation)
    paths["/readyz"] = {"get": over_http.readyz()}
    schemas.reference("google.rpc.Status")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mediagen",
            "version": version,
            "description": INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        # Relative: "try it out" calls the edge that served the page.
        "servers": [{"url": "/"}],
        "tags": [{"name": n, "description": d} for n, d in over_http.TAG_DESCRIPTIONS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.used.items())),
            "responses": errors.components(),
        },
    }


def _finish(operation: Json, method: str, path: str) -> None:
    """Add the tag, what holds only over HTTP, and the errors."""
    rpc = operation["operationId"].rstrip("0123456789")
    operation["tags"] = [over_http.TAGS[rpc]]
    if rpc in over_http.CHANGES:
        over_http.CHANGES[rpc](operation)
    answers = operation["responses"]
    operation["responses"] = {**answers, **_others(errors.responses(method, path), answers)}


def _others(candidates: dict[str, Json], taken: Json) -> dict[str, Json]:
    return {status: answer for status, answer in candidates.items() if status not in taken}
