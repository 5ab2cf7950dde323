"""Does the topology as data keep the rules that a broker would only break in silence?"""

from __future__ import annotations

from itertools import pairwise

import pytest

from jobqueue.topology import (
    CLASSES,
    LADDER,
    TOPOLOGY,
    WEBHOOK,
    WEBHOOK_LADDER,
    WEBHOOK_QUEUE,
    Level,
    level_for,
    retry_key,
    retry_queue,
    webhook_retry_queue,
    work_key,
    work_queue,
)

QUEUES = {queue.name: dict(queue.arguments) for queue in TOPOLOGY.queues}
BOUND = {(binding.exchange, binding.key): binding.queue for binding in TOPOLOGY.bindings}


@pytest.mark.parametrize(
    ("delay", "name"),
    [
        (-1, None),
        (0, None),
        (0.999, None),
        (1, "1s"),
        (1.99, "1s"),
        (2, "2s"),
        (7.9, "4s"),
        (14, "8s"),
        (59, "30s"),
        (60, "1m"),
        (3599, "15m"),
        (3600, "1h"),
        (1e9, "1h"),
    ],
)
def test_the_level_is_the_longest_that_is_not_too_long(delay: float, name: str | None) -> None:
    """The rest of a delay waits in the store; below a second there is no level."""
    level = level_for(delay)
    assert (level.name if level else None) == name


def test_the_ladder_rises_and_its_names_tell_its_delays() -> None:
    """A queue's TTL can not change, so it is in the name."""
    seconds = {"s": 1, "m": 60, "h": 3600}
    assert all(lower.seconds < upper.seconds for lower, upper in pairwise(LADDER))
    assert all(lower.seconds < upper.seconds for lower, upper in pairwise(WEBHOOK_LADDER))
    for level in WEBHOOK_LADDER:
        assert int(level.name[:-1]) * seconds[level.name[-1]] == level.seconds
    for level in LADDER:
        assert int(level.name[:-1]) * seconds[level.name[-1]] == level.seconds
        assert QUEUES[retry_queue(level)]["x-message-ttl"] == level.seconds * 1000


def test_every_queue_that_dead_letters_does_so_at_least_once() -> None:
    """Without reject-publish the strategy falls back to at-most-once and says nothing."""
    dead_lettering = [a for a in QUEUES.values() if "x-dead-letter-exchange" in a]
    assert len(dead_lettering) == len(CLASSES) + len(LADDER) + 1 + len(WEBHOOK_LADDER)
    for arguments in dead_lettering:
        assert arguments["x-queue-type"] == "quorum"
        assert arguments["x-dead-letter-strategy"] == "at-least-once"
        assert arguments["x-overflow"] == "reject-publish"
        assert "x-dead-letter-routing-key" not in arguments


def test_a_work_queue_never_leads_back_to_a_retry_queue() -> None:
    """A cycle without a rejection gets its message dropped by the broker."""
    for job_class in CLASSES:
        assert QUEUES[work_queue(job_class)]["x-dead-letter-exchange"] == "jobs.dead"
        assert QUEUES[work_queue(job_class)]["x-delivery-limit"] == 20
    assert QUEUES[WEBHOOK_QUEUE]["x-dead-letter-exchange"] == "webhooks.dead"
    assert QUEUES[WEBHOOK_QUEUE]["x-delivery-limit"] == 20


@pytest.mark.parametrize("job_class", CLASSES)
@pytest.mark.parametrize("level", LADDER, ids=lambda level: level.name)
def test_every_way_of_a_message_ends_in_its_work_queue(level: Level, job_class: str) -> None:
    """now.<class> at once; <level>.<class> through the level's queue and then, its key kept."""
    assert BOUND["jobs", work_key(job_class)] == work_queue(job_class)
    assert retry_key(level, job_class) == f"{level.name}.{job_class}"
    assert BOUND["jobs.retry", f"{level.name}.*"] == retry_queue(level)
    assert BOUND["jobs.due", f"*.{job_class}"] == work_queue(job_class)


@pytest.mark.parametrize("level", WEBHOOK_LADDER, ids=lambda level: level.name)
def test_every_way_of_a_delivery_ends_in_its_work_queue(level: Level) -> None:
    """By exchanges and queues of its own: no job waits behind it, and it waits behind no job."""
    assert BOUND["webhooks", work_key(WEBHOOK)] == WEBHOOK_QUEUE
    assert BOUND["webhooks.retry", f"{level.name}.*"] == webhook_retry_queue(level)
    assert BOUND["webhooks.due", f"*.{WEBHOOK}"] == WEBHOOK_QUEUE
    arguments = QUEUES[webhook_retry_queue(level)]
    assert arguments["x-message-ttl"] == level.milliseconds
    assert arguments["x-dead-letter-exchange"] == "webhooks.due"


def test_only_the_due_exchanges_have_an_alternate() -> None:
    """On a publisher's exchange it would make an unroutable message look delivered."""
    alternates = {e.name: dict(e.arguments) for e in TOPOLOGY.exchanges if e.arguments}
    assert alternates == {
        "jobs.due": {"alternate-exchange": "jobs.dead"},
        "webhooks.due": {"alternate-exchange": "webhooks.dead"},
    }
