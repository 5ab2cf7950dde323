"""What is posted? The event as Standard Webhooks has it, with the job as the REST API prints it.

    {"type": "job.completed", "timestamp": "2026-11-22T23:15:00.123Z", "data": {the job}}

The request is left out but for what a receiver needs to know the job by: it may be large, and it is
not the URL's to see.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from mediagen.v1 import job_pb2
from servicekit.printing import Json, artifact_url, as_json, preview_url
from store.adapters.projection import timestamp
from store.domain.deliveries import PING

CONTENT_TYPE: Final = "application/json"
_KNOWN_BY: Final = ("model", "labels", "request_id")


def of_job(type_: str, moment: datetime, view: bytes, request: bytes, public_url: str) -> str:
    """The event of a job's revision; *moment* is when it happened."""
    job = job_pb2.Job.FromString(view)
    for artifact in job.artifacts:
        where = (public_url, job.job_id, artifact.index)
        artifact.url = artifact_url(*where)
        if artifact.HasField("preview"):
            artifact.preview.url = preview_url(*where)
    asked = as_json(job_pb2.JobRequest.FromString(request))
    data = as_json(job) | {"request": {name: asked[name] for name in _KNOWN_BY}}
    return _printed(type_, moment, data)


def of_ping(endpoint_id: str, moment: datetime) -> str:
    """What shows that an endpoint is reached."""
    return _printed(PING, moment, {"endpoint_id": endpoint_id})


def headers(delivery_id: str, moment: datetime, signature: str) -> dict[str, str]:
    """What goes with the body. *moment* is when it was signed."""
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": signature,
    }


def _printed(type_: str, moment: datetime, data: Json) -> str:
    stamp = timestamp(moment)
    assert stamp is not None
    body: dict[str, Any] = {"type": type_, "timestamp": stamp.ToJsonString(), "data": data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
