"""What does the API do over HTTP that its protos cannot say?

Ranges and ETags of artifacts, the events of a server-sent stream, health as an HTTP status, and
the example to start from. Each function changes the operation that the protos gave.
"""

from collections.abc import Callable

from tools.openapi.schemas import Json

GENERATE_EXAMPLE = {
    "prompt": "a beautiful sunset",
    "model": "stability-ai/stable-diffusion-3",
}
HOOK = "https://hooks.example.com/mediagen"
SSE_EXAMPLE = (
    "retry: 2000\n\n"
    'id: 3\nevent: update\ndata: {"job_id": "0198…", "state": "STATE_RUNNING", "revision": 3}\n\n'
    'id: 5\nevent: end\ndata: {"job_id": "0198…", "state": "STATE_COMPLETED", "revision": 5}\n\n'
)
WATCH_ALL_EXAMPLE = (
    "retry: 2000\n\n"
    'event: snapshot\ndata: {"snapshot": {"job_id": "0198…", "state": "STATE_PENDING"}}\n\n'
    'id: AQAA…\nevent: synced\ndata: {"cursor": "AQAA…", "synced": {"snapshots": 1}}\n\n'
    "id: AQAB…\nevent: update\n"
    'data: {"cursor": "AQAB…", "update": {"job_id": "0198…", "state": "STATE_RUNNING"}}\n\n'
)
BYTES: Json = {"*/*": {"schema": {"description": "The bytes of the artifact."}}}
TAGS = {
    "SubmitJob": "Jobs",
    "GetJob": "Jobs",
    "ListJobs": "Jobs",
    "CancelJob": "Jobs",
    "WatchJob": "Watching",
    "WatchJobEvents": "Watching",
    "WatchJobs": "Watching",
    "WatchJobsEvents": "Watching",
    "DownloadArtifact": "Artifacts",
    "DownloadPreview": "Artifacts",
    "UploadInput": "Inputs",
    "GetUpload": "Inputs",
    "DownloadUpload": "Inputs",
    "ListModels": "Models",
    "GetModel": "Models",
    "DownloadModelCover": "Models",
    "GetHealth": "Health",
    "GetOverview": "Operating",
    "GetStatistics": "Operating",
    "SyncModels": "Operating",
    "ListDeadLetters": "Operating",
    "GetDeadLetter": "Operating",
    "RedriveDeadLetters": "Operating",
    "DiscardDeadLetters": "Operating",
    "CreateWebhookEndpoint": "Webhooks",
    "GetWebhookEndpoint": "Webhooks",
    "ListWebhookEndpoints": "Webhooks",
    "UpdateWebhookEndpoint": "Webhooks",
    "PauseWebhookEndpoint": "Webhooks",
    "ResumeWebhookEndpoint": "Webhooks",
    "DeleteWebhookEndpoint": "Webhooks",
    "PingWebhookEndpoint": "Webhooks",
    "GetWebhookSecret": "Webhooks",  # pragma: allowlist secret
    "RotateWebhookSecret": "Webhooks",  # pragma: allowlist secret
    "ListWebhookDeliveries": "Webhooks",
    "GetWebhookDelivery": "Webhooks",
    "RedeliverWebhook": "Webhooks",
}
TAG_DESCRIPTIONS = {
    "Jobs": "Submit jobs, look at them, cancel them.",
    "Watching": "Follow a job, revision by revision, until it is final; or all jobs.",
    "Artifacts": "The results, as plain files.",
    "Models": "What there is to choose from, and what each model takes.",
    "Inputs": "Files that models work on.",
    "Health": "Whether jobs can be taken.",
    "Webhooks": "Be told of events instead of asking: endpoints, their secret, and every delivery.",
    "Operating": "For those who run the service: what goes on, and jobs that were given up.",
}


def _header(description: str, kind: str = "string") -> Json:
    return {"description": description, "schema": {"type": kind}}


def _header_parameter(name: str, description: str, example: str) -> Json:
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


def submit(operation: Json) -> None:
    """The request of the README."""
    content = operation["requestBody"]["content"]["application/json"]
    content["examples"] = {
        "sunset": {"summary": "A prompt and a model", "value": GENERATE_EXAMPLE},
        "with_inputs": {
            "summary": "Safe to repeat, with inputs of the model",
            "value": {
                "request_id": "4e0d1c0e-8a52-4f5e-9a3b-1d1f6f6f3b6d",
                "model": "black-forest-labs/flux-schnell",
                "prompt": "a lighthouse in a storm, oil on canvas",
                "input": {"aspect_ratio": "16:9", "num_outputs": 2},
                "labels": {"team": "marketing"},
                "timeout": "600s",
            },
        },
        "with_webhook": {
            "summary": "With a URL to tell of its end",
            "value": {**GENERATE_EXAMPLE, "webhook": {"url": HOOK}},
        },
    }


def create_endpoint(operation: Json) -> None:
    """Where, and what."""
    content = operation["requestBody"]["content"]["application/json"]
    content["examples"] = {
        "ends": {
            "summary": "The three ends of a job",
            "value": {"target": {"url": HOOK}, "description": "the print shop"},
        },
        "some": {
            "summary": "Chosen events",
            "value": {"target": {"url": HOOK, "events": ["job.started", "job.completed"]}},
        },
    }


def update_endpoint(operation: Json) -> None:
    """What is not given stays."""
    content = operation["requestBody"]["content"]["application/json"]
    content["examples"] = {
        "moved": {"summary": "Another URL", "value": {"target": {"url": HOOK}}},
        "described": {"summary": "Other words", "value": {"description": "the print shop"}},
    }


def watch(operation: Json) -> None:
    """Two forms of one stream."""
    operation["responses"]["200"]["description"] = (
        "One JSON message per line; with `accept: text/event-stream` one per event instead. An "
        "error before the first message has its HTTP status; later ones just end the stream, so "
        "a stream that ends before a final state is to be resumed with after_revision."
    )


def watch_events(operation: Json) -> None:
    """Server-sent events that resume."""
    operation.setdefault("parameters", []).append(
        _header_parameter(
            "Last-Event-ID",
            "The revision of the last event seen. EventSource sends it by itself; it wins over "
            "after_revision.",
            "3",
        )
    )
    operation["responses"]["200"] = {
        "description": "Server-sent events: the id is the revision, the data the job as JSON.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": SSE_EXAMPLE}},
    }


def watch_jobs(operation: Json) -> None:
    """Two forms of one stream."""
    operation["responses"]["200"]["description"] = (
        "One JSON message per line; with `accept: text/event-stream` one per event instead. It has "
        "no end of its own: whenever it ends, call again with the cursor of the last message."
    )


def watch_jobs_events(operation: Json) -> None:
    """Server-sent events that resume."""
    operation.setdefault("parameters", []).append(
        _header_parameter(
            "Last-Event-ID",
            "The cursor of the last event seen. EventSource sends it by itself; it wins over "
            "cursor.",
            "AQAB…",
        )
    )
    example = {"schema": {"type": "string"}, "example": WATCH_ALL_EXAMPLE}
    operation["responses"]["200"] = {
        "description": "Server-sent events: the id is the cursor, the data the message as JSON.",
        "content": {"text/event-stream": example},
    }


def download(operation: Json) -> None:
    """A plain download."""
    operation["parameters"] += [
        _header_parameter("Range", "The part to send.", "bytes=0-1023"),
        _header_parameter("If-None-Match", "The ETag of the copy at hand.", '"9f86d081884c7d65"'),
        _header_parameter("If-Range", "Send a part only of this ETag.", '"9f86d081884c7d65"'),
    ]
    whole = {
        "Accept-Ranges": _header("`bytes`."),
        "Content-Length": _header("The length in bytes.", "integer"),
        "ETag": _header("Changes with the bytes."),
        "Repr-Digest": _header("The SHA-256 of the whole file (RFC 9530), where it is known."),
    }
    part = {**whole, "Content-Range": _header("Which part it is, of how many bytes.")}
    unsatisfied = {"Content-Range": _header("`bytes */` and the length.")}
    operation["responses"] = {
        "200": {"description": "The file.", "headers": whole, "content": BYTES},
        "206": {"description": "The part asked for.", "headers": part, "content": BYTES},
        "304": {"description": "The copy at hand is the file."},
        "416": {"description": "The file has no such part.", "headers": unsatisfied},
    }


def download_artifact(operation: Json) -> None:
    """It may lie elsewhere, or no longer be kept."""
    download(operation)
    location = {"Location": _header("A URL of the bucket, signed for five minutes.")}
    operation["responses"]["307"] = {
        "description": "The artifact is had from its bucket, where the service is set up so.",
        "headers": location,
    }
    gone = {"$ref": "#/components/schemas/google.rpc.Status"}
    operation["responses"]["410"] = {
        "description": "The artifact is no longer kept.",
        "content": {"application/json": {"schema": gone}},
    }


def upload(operation: Json) -> None:
    """The file itself."""
    refused = {"$ref": "#/components/schemas/google.rpc.Status"}
    operation["responses"]["415"] = {
        "description": "The file is of a type that is not taken.",
        "content": {"application/json": {"schema": refused}},
    }


def health(operation: Json) -> None:
    """The same body under two statuses."""
    healthy = operation["responses"]["200"]
    operation["responses"] = {
        "200": {**healthy, "description": "Jobs can be taken."},
        "503": {**healthy, "description": "Jobs cannot be taken; the components say why."},
    }


CHANGES: dict[str, Callable[[Json], None]] = {
    "SubmitJob": submit,
    "WatchJob": watch,
    "WatchJobEvents": watch_events,
    "WatchJobs": watch_jobs,
    "WatchJobsEvents": watch_jobs_events,
    "DownloadArtifact": download_artifact,
    "UploadInput": upload,
    "DownloadPreview": download,
    "DownloadUpload": download,
    "DownloadModelCover": download,
    "GetHealth": health,
    "CreateWebhookEndpoint": create_endpoint,
    "UpdateWebhookEndpoint": update_endpoint,
}


def head_of_download(get: Json) -> Json:
    """HEAD of an artifact: what GET would say of it, without the bytes."""
    answers = {
        status: {k: v for k, v in answer.items() if k != "content"}
        for status, answer in get["responses"].items()
        if status == "200"
    }
    errors = {
        status: answer
        for status, answer in get["responses"].items()
        if status not in ("200", "206", "416")
    }
    return {
        **get,
        "operationId": "HeadArtifact",
        "summary": "Get the length, type and ETag of one artifact",
        "responses": {**answers, **errors},
    }


def readyz() -> Json:
    """The edge's own probe."""
    return {
        "operationId": "GetReadiness",
        "tags": ["Health"],
        "summary": "For load balancers: whether any gateway is healthy",
        "description": "Answered by the edge from its own health checks, without a body.",
        "responses": {
            "200": {"description": "At least one gateway serves."},
            "503": {"description": "None does."},
        },
    }
