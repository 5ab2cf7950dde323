"""What is submitted, and how large are its messages?"""

from __future__ import annotations

import uuid

from google.protobuf.timestamp_pb2 import Timestamp

from mediagen.v1 import generation_service_pb2 as pb2
from mediagen.v1 import job_pb2

MODEL = "black-forest-labs/flux-schnell"
PROMPT = "a lighthouse on a cliff in the evening light, oil on canvas, wide angle"


def submit_request(prompt: str = PROMPT) -> pb2.SubmitJobRequest:
    """An ordinary request, with an id as a careful caller gives one."""
    request = pb2.SubmitJobRequest(model=MODEL, prompt=prompt, request_id=str(uuid.uuid4()))
    request.input.update({"aspect_ratio": "16:9", "num_outputs": 1})
    return request


def submit_document(prompt: str = PROMPT) -> dict[str, object]:
    """The same as JSON."""
    return {
        "model": MODEL,
        "prompt": prompt,
        "input": {"aspect_ratio": "16:9", "num_outputs": 1},
        "request_id": str(uuid.uuid4()),
    }


def submit_response() -> pb2.SubmitJobResponse:
    """An answer as long as the real ones."""
    asked, now = submit_request(), Timestamp(seconds=1_795_000_000, nanos=123_456_000)
    job = job_pb2.Job(
        job_id=str(uuid.uuid4()),
        state=job_pb2.Job.STATE_PENDING,
        revision=1,
        request=job_pb2.JobRequest(
            model=asked.model, prompt=asked.prompt, input=asked.input,
            request_id=asked.request_id, priority=job_pb2.PRIORITY_NORMAL,
        ),
        create_time=now,
        update_time=now,
        deadline=now,
    )  # fmt: skip
    job.request.timeout.FromSeconds(3600)
    return pb2.SubmitJobResponse(job=job)
