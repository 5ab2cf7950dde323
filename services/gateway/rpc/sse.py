"""How are watches framed as server-sent events?

    id: 7                            the revision of a job, or the cursor of a watch of jobs, which
                                     the browser sends back as Last-Event-ID
    event: update                    snapshot, update, gap, forecast; end for a final job; of jobs
                                     snapshot, synced, update, gap, forecasts; of both error
    data: {"revision": 7, …}         one line of JSON: the job, or of jobs the whole message

An error comes as an event, since one that ends a stream is invisible to a browser over HTTP/1.1:
`data` is then a google.rpc.Status, of a job beside the last revision sent. Silence is filled with
comments; where the cursor has moved by what was for others, its id comes along without an event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from google.protobuf.json_format import MessageToDict

from gateway.rpc.errors import status_of
from gateway.rpc.job_view import JobView
from gateway.watch.filters import FINAL
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import WatchJobResponse, WatchJobsResponse
from servicekit.printing import Json, as_json

CONTENT_TYPE = "text/event-stream"
KEEP_ALIVE = b": keep-alive\n\n"
# Milliseconds until a browser connects again; sent at once, so that it also sees the stream open.
OPENING = b"retry: 2000\n\n"

_LAST_EVENT_ID = "last-event-id"
_REVISION = re.compile(r"[0-9]{1,10}")
_LARGEST_INT32 = 2**31 - 1


def last_revision(metadata: Iterable[tuple[str, Any]] | None) -> int | None:
    """The revision in the Last-Event-ID header; None if it was not sent.

    One that is not a revision counts as not sent: a browser repeats whatever id it was given last,
    and could not do otherwise after a refusal.
    """
    text = last_event_id(metadata)
    if text.isascii() and _REVISION.fullmatch(text) and int(text) <= _LARGEST_INT32:
        return int(text)
    return None


def last_event_id(metadata: Iterable[tuple[str, Any]] | None) -> str:
    """The Last-Event-ID header; empty if it was not sent."""
    for key, value in metadata or ():
        if key.lower() == _LAST_EVENT_ID and isinstance(value, str):
            return value.strip()
    return ""


def of_job(event: WatchJobResponse, view: JobView, revision: int) -> bytes:
    """The frame of what happened to one job, of which *revision* was sent last."""
    match event.WhichOneof("event"):
        case "snapshot":
            return _job("snapshot", event.snapshot, view)
        case "update":
            return _job("update", event.update, view)
        case "gap":
            # Without an id: a reader that is lost before the snapshot asks from before the gap.
            return _frame("gap", {"revision": revision, **as_json(event.gap)})
        case "forecast":
            return _frame("forecast", {"revision": revision, **as_json(event.forecast)})
        case _:
            return KEEP_ALIVE


def end(job: job_pb2.Job, view: JobView) -> bytes:
    """For who knew the final revision: EventSource must be told, or it asks for ever."""
    return _job("end", job, view)


def of_jobs(event: WatchJobsResponse, view: JobView) -> bytes:
    """The frame of what happened to the jobs of a watch."""
    name = event.WhichOneof("event") or ""
    if name == "heartbeat":
        return KEEP_ALIVE[:-1] + f"id: {event.cursor}\n\n".encode()
    if name in ("snapshot", "update"):
        view.show(getattr(event, name))
    return _frame(name, as_json(event), event.cursor)


def of_error(error: Exception, **beside: object) -> bytes:
    """The last frame of a stream that fails."""
    return _frame("error", {**beside, **status_json(error)})


def status_json(error: Exception) -> Json:
    """*error* as google.rpc.Status in JSON."""
    told: Json = MessageToDict(status_of(error), preserving_proto_field_name=True)
    return told


def is_final(event: WatchJobResponse) -> bool:
    """Whether the stream of a job ends behind *event*."""
    return event.snapshot.state in FINAL or event.update.state in FINAL


def _job(name: str, job: job_pb2.Job, view: JobView) -> bytes:
    kind = "end" if job.state in FINAL else name
    return _frame(kind, as_json(view.show(job)), str(job.revision))


def _frame(name: str, data: Json, cursor: str = "") -> bytes:
    # json.dumps writes no line break, which would end the frame.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    line = f"id: {cursor}\n" if cursor else ""
    return f"{line}event: {name}\ndata: {text}\n\n".encode()
