"""Does docs/events.md name every event and every field that there is, and no other?"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from gateway.rpc import sse
from gateway.rpc.job_view import JobView
from mediagen.v1.generation_service_pb2 import WatchJobResponse, WatchJobsResponse
from mediagen.v1.job_pb2 import Forecast, Job, JobRequest
from store.adapters import webhook_payloads

PAGE = (Path(__file__).parents[2] / "docs/events.md").read_text()


def section(title: str) -> str:
    """What stands under a heading, to the next one of its kind."""
    marks, _, _ = title.partition(" ")
    text = PAGE.split(f"\n{title}\n")[1]
    return re.split(rf"^#{{1,{len(marks)}}} ", text, flags=re.MULTILINE)[0]


def named(text: str, column: int) -> set[str]:
    """The words in backquotes of a table's column, each cell's first."""
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")]
    found = (re.search(r"`([^`]+)`", row[column]) for row in rows[2:])
    return {match.group(1) for match in found if match}


def fields_of(text: str) -> set[str]:
    """The words in backquotes of a table's first column."""
    cells = re.findall(r"^\| (.*?) \|", text, re.MULTILINE)
    return set(re.findall(r"`([\w-]+)`", " ".join(cells)))


def test_each_event_of_a_watch_is_in_its_table() -> None:
    """As the contract has them."""
    for title, message in (
        ("### Of one job", WatchJobResponse),
        ("### Of all jobs", WatchJobsResponse),
    ):
        events = {field.name for field in message.DESCRIPTOR.oneofs_by_name["event"].fields}
        assert named(section(title), 1) == events


def test_each_event_of_a_stream_for_browsers_is_in_its_table() -> None:
    """As the gateway frames them."""
    view = JobView("http://localhost:8000")
    done = WatchJobResponse(update=Job(state=Job.STATE_COMPLETED))
    frames = [sse.of_job(done, view, 1)]
    for name in ("snapshot", "update", "gap", "forecast"):
        event = WatchJobResponse()
        getattr(event, name).SetInParent()
        frames.append(sse.of_job(event, view, 1))
    frames.append(sse.of_error(TimeoutError()))
    framed = {re.search(rb"^event: (\w+)", each, re.MULTILINE)[1].decode() for each in frames}  # type: ignore[index]
    assert named(section("### Of one job"), 2) - {": keep-alive"} == framed


def test_the_fields_are_those_of_the_contract() -> None:
    """Every field of a forecast, and none of a job that there is not."""
    forecast = fields_of(section("### Forecasts"))
    assert forecast == set(Forecast.DESCRIPTOR.fields_by_name)
    job = fields_of(section("### Job"))
    assert job
    assert job <= set(Job.DESCRIPTOR.fields_by_name)


def test_the_parts_of_a_webhook_are_those_that_are_posted() -> None:
    """Its headers, and what the body holds."""
    now = datetime(2026, 11, 22, tzinfo=UTC)
    sent = webhook_payloads.headers("1", now, "v1,x")
    webhooks = section("## Webhooks")
    told = {name for name in fields_of(webhooks) if name.startswith("webhook-")}
    assert told == {name for name in sent if name.startswith("webhook-")}
    view, asked = Job(job_id="1").SerializeToString(), JobRequest(model="m").SerializeToString()
    body = json.loads(webhook_payloads.of_job("job.completed", now, view, asked, "http://x"))
    [printed] = re.findall(r"`(\{\"type\".*?\})`", webhooks)
    assert list(json.loads(printed.replace("{…}", "{}"))) == list(body)
    known_by = re.findall(r"`(\w+)`", webhooks.split("of its request only")[1].split("|")[0])
    assert known_by == list(body["data"]["request"])
