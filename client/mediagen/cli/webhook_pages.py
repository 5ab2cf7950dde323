"""What do the commands about webhooks print?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from mediagen.cli import words
from mediagen.cli.pages import grid
from mediagen.cli.tables import Cell, Column, show
from mediagen.v1.webhook_pb2 import WebhookAttempt, WebhookDelivery, WebhookEndpoint

_COLORS: dict[int, str] = {
    WebhookDelivery.STATE_PENDING: "yellow",
    WebhookDelivery.STATE_DELIVERED: "green",
    WebhookDelivery.STATE_FAILED: "red",
}
_WIDE = 140  # columns
_TIMES: tuple[tuple[str, Any], ...] = (
    ("created", "create_time"),
    ("next post", "next_attempt_time"),
    ("given up at", "expire_time"),
    ("ended", "end_time"),
)


def endpoint_page(console: Console, endpoint: WebhookEndpoint) -> None:
    """Everything about one endpoint."""
    page = grid()
    page.add_row("endpoint", words.plain(endpoint.endpoint_id))
    page.add_row("url", words.plain(endpoint.url))
    page.add_row("state", _state(endpoint))
    if endpoint.pause_reason:
        page.add_row("paused because", words.plain(endpoint.pause_reason))
    if endpoint.HasField("failing_since"):
        page.add_row("failing since", words.when(endpoint.failing_since))
    events = "as each job says" if endpoint.of_jobs else words.plain(", ".join(endpoint.events))
    page.add_row("events", events)
    if endpoint.description:
        page.add_row("for", words.plain(endpoint.description))
    page.add_row("created", words.when(endpoint.create_time))
    page.add_row("changed", words.when(endpoint.update_time))
    console.print(page, soft_wrap=False)


def endpoints_table(console: Console, endpoints: Sequence[WebhookEndpoint]) -> None:
    """One line for each. The id is whole, the events get what is left of the width."""
    url = max(20, (console.width - 55) * 2 // 3)
    titles = {"endpoint": 36, "state": 8, "age": 3, "url": url, "events": 0}
    rows: list[list[Cell]] = [
        [
            Text(words.plain(each.endpoint_id)),
            _state(each),
            words.age(words.seconds_since(each.create_time)),
            Text(words.plain(each.url)),
            Text(words.plain("as each job says" if each.of_jobs else ", ".join(each.events))),
        ]
        for each in endpoints
    ]
    show(console, [Column(title, width) for title, width in titles.items()], rows, gap=1)


def deliveries_table(console: Console, deliveries: Sequence[WebhookDelivery]) -> None:
    """One line for each. The id is whole; a narrow terminal shows the end of the job's, which tells
    jobs apart, and no URL."""
    narrow = console.is_terminal and console.width < _WIDE
    titles = {"delivery": 36, "event": 14 if narrow else 19, "state": 9, "age": 3}
    titles |= {"job": 0} if narrow else {"job": 36, "posts": 5, "url": 0}
    rows = []
    for each in deliveries:
        job = words.plain(each.job_id)
        cells = [
            Text(words.plain(each.delivery_id)),
            Text(words.plain(each.type)),
            _delivery_state(each),
            Text(words.age(words.seconds_since(each.create_time))),
            Text(f"…{job[-12:]}" if narrow and job else job),
        ]
        if not narrow:
            cells += [Text(str(each.attempt_count)), Text(words.plain(each.url))]
        rows.append(cells)
    show(console, [Column(title, width) for title, width in titles.items()], rows, gap=1)


def delivery_page(console: Console, delivery: WebhookDelivery) -> None:
    """One delivery, with every post that is kept."""
    page = grid()
    page.add_row("delivery", words.plain(delivery.delivery_id))
    page.add_row("event", words.plain(delivery.type))
    if delivery.job_id:
        page.add_row("job", f"{words.plain(delivery.job_id)}, revision {delivery.revision}")
    page.add_row("endpoint", words.plain(delivery.endpoint_id))
    page.add_row("url", words.plain(delivery.url))
    page.add_row("state", _delivery_state(delivery))
    for label, name in _TIMES:
        if name == "expire_time" and delivery.state != WebhookDelivery.STATE_PENDING:
            continue
        if delivery.HasField(name):
            page.add_row(label, words.when(getattr(delivery, name)))
    for attempt in delivery.attempts:
        page.add_row(f"post {attempt.number}", _post(attempt))
    console.print(page, soft_wrap=False)


def _state(endpoint: WebhookEndpoint) -> Text:
    word = words.enum_word(WebhookEndpoint.State, "STATE_", endpoint.state)
    if endpoint.state == WebhookEndpoint.STATE_PAUSED:
        return Text(word, style="red")
    failing = endpoint.HasField("failing_since")
    return Text("failing", style="yellow") if failing else Text(word, style="green")


def _delivery_state(delivery: WebhookDelivery) -> Text:
    word = words.enum_word(WebhookDelivery.State, "STATE_", delivery.state)
    return Text(word, style=_COLORS.get(delivery.state, ""))


def _post(attempt: WebhookAttempt) -> str:
    took = words.duration(attempt.duration.ToNanoseconds() / 1e9)
    told = f"HTTP {attempt.status_code}" if attempt.status_code else "no answer"
    error = f": {words.plain(attempt.error)}" if attempt.error else ""
    return f"{words.when(attempt.start_time)}  {told} in {took}{error}"
