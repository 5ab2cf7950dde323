"""Are those who want the same events given these and no others?"""

from __future__ import annotations

from gateway.watch.feed import Feed
from gateway.watch.filters import JobFilter
from gateway.watch.told import Change
from gateway.watch.watcher import Watcher
from mediagen.store.v1.feed_pb2 import FeedEvent, FeedPosition
from mediagen.store.v1.job_store_service_pb2 import ReadFeedResponse
from mediagen.v1 import job_pb2


def event(sequence: int, model: str) -> FeedEvent:
    """A new job of *model*."""
    return FeedEvent(
        tenant="default",
        position=FeedPosition(generation=1, sequence=sequence),
        model=model,
        job=job_pb2.Job(job_id=f"job-{sequence}", revision=1, state=job_pb2.Job.STATE_PENDING),
    )


def test_the_first_of_a_filter_is_given_what_it_missed_and_no_other_event() -> None:
    """Also not the one at which its group began, which nobody has looked at for it."""
    feed = Feed("default")
    feed.begin(ReadFeedResponse(head=FeedPosition(generation=1, sequence=0)), 0.0)
    for sequence, model in ((1, "a/b"), (2, "other/model")):
        assert feed.hear(event(sequence, model))
    watcher = Watcher(feed, feed.of_filter(JobFilter(model="a/b")))
    watcher.group.members.add(watcher)
    watcher.generation, watcher.sequence = 1, 0
    told = []
    while isinstance(change := watcher.turn(), Change):
        told.append(change.event.model)
    assert told == ["a/b"]
