"""How is a watch framed as server-sent events?

    id: 7                            the revision, which the browser sends back as Last-Event-ID
    event: update                    snapshot, update or gap; end for a final job; error
    data: {"revision": 7, …}         one line of JSON, always with a revision

An error comes as an event, since one that ends a stream is invisible to a browser over HTTP/1.1:
`data` is then a google.rpc.Status beside the last revision sent. Silence is filled with comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from google.protobuf.json_format import MessageToDict

from gateway.rpc.errors import status_of
from gateway.rpc.job_view import JobView, Json, as_json
from gateway.watch.progress import FINAL
from gateway.watch.watching import Watch
from mediagen.v1 import job_pb2
from mediagen.v1.generation_service_pb2 import WatchJobResponse

CONTENT_TYPE = "text/event-stream"
KEEP_ALIVE = b": keep-alive\n\n"
# Milliseconds until a browser connects again; sent at once, so that it also sees the stream open.
OPENING = b"retry: 2000\n\n"

_LAST_EVENT_ID = "last-event-id"
_REVISION = re.compile(r"[0-9]{1,10}")
_LARGEST_INT32 = 2**31 - 1


def last_event_id(metadata: Iterable[tuple[str, Any]] | None) -> int | None:
    """The revision in the Last-Event-ID header; None if it was not sent.

    One that is not a revision counts as not sent: a browser repeats whatever id it was given last,
    and could not do otherwise after a refusal.
    """
    for key, value in metadata or ():
        if key.lower() == _LAST_EVENT_ID and isinstance(value, str):
            text = value.strip()
            if text.isascii() and _REVISION.fullmatch(text) and int(text) <= _LARGEST_INT32:
                return int(text)
    return None


async def frames(watch: Watch, view: JobView) -> AsyncGenerator[bytes, None]:
    """The frames of *watch*, to its end or its error."""
    yield OPENING
    ended = False
    try:
        async with aclosing(watch.events()) as events:
            async for event in events:
                yield _framed(event, view, watch.revision)
                ended = _is_final(event)
        if not ended:
            # The caller knew the final revision: EventSource must be told, or it asks for ever.
            yield _frame("end", as_json(view.show(watch.job)), watch.job.revision)
    except Exception as error:
        yield _frame("error", {"revision": watch.revision, **status_json(error)})


def status_json(error: Exception) -> Json:
    """*error* as google.rpc.Status in JSON."""
    told: Json = MessageToDict(status_of(error), preserving_proto_field_name=True)
    return told


def _framed(event: WatchJobResponse, view: JobView, revision: int) -> bytes:
    match event.WhichOneof("event"):
        case "snapshot":
            return _job("snapshot", event.snapshot, view)
        case "update":
            return _job("update", event.update, view)
        case "gap":
            # Without an id: a reader that is lost before the snapshot asks from before the gap.
            return _frame("gap", {"revision": revision, **as_json(event.gap)})
        case _:
            return KEEP_ALIVE


def _job(name: str, job: job_pb2.Job, view: JobView) -> bytes:
    return _frame("end" if job.state in FINAL else name, as_json(view.show(job)), job.revision)


def _is_final(event: WatchJobResponse) -> bool:
    return event.snapshot.state in FINAL or event.update.state in FINAL


def _frame(name: str, data: Json, revision: int | None = None) -> bytes:
    # json.dumps writes no line break, which would end the frame.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    line = "" if revision is None else f"id: {revision}\n"
    return f"{line}event: {name}\ndata: {text}\n\n".encode()
