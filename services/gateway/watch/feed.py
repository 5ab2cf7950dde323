"""How far has this gateway applied the feed of a tenant? Pure: the hub reads, this decides."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.watch.mailbox import Mailbox
from mediagen.store.v1.feed_pb2 import FeedEvent, FeedPosition
from mediagen.store.v1.job_store_service_pb2 import ReadFeedResponse


class Feed:
    """One tenant's watchers, and the position up to which they were given every event.

    An event is applied only when it is the next one, so a position says: all before it was seen.
    """

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.position: FeedPosition | None = None
        self._mailboxes: dict[str, set[Mailbox]] = {}

    @property
    def followed(self) -> bool:
        return bool(self._mailboxes)

    def mailboxes(self) -> Iterator[Mailbox]:
        for each in self._mailboxes.values():
            yield from each

    def join(self, job_id: str, mailbox: Mailbox) -> None:
        self._mailboxes.setdefault(job_id, set()).add(mailbox)

    def leave(self, job_id: str, mailbox: Mailbox) -> None:
        those = self._mailboxes[job_id]
        those.discard(mailbox)
        if not those:
            del self._mailboxes[job_id]

    def begin(self, head: FeedPosition) -> None:
        """Starts at *head*, which was read after the first watcher joined."""
        if self.position is None:
            self.position = head

    def hear(self, event: FeedEvent) -> bool:
        """Applies a hint if it is the next event; False if the store is to be read."""
        if self.position is None:
            return True
        if event.position.generation != self.position.generation:
            return False
        return self._apply(event)

    def take(self, asked: FeedPosition, answer: ReadFeedResponse) -> bool:
        """Applies what was read behind *asked*; True if there is more to read."""
        here = self.position
        # All watchers left while this was read; others may have joined.
        if here is None or here.generation != asked.generation:
            return False
        head = answer.head
        if head.generation != asked.generation or head.sequence < asked.sequence:
            self._begin_anew(head)
            return False
        if not all(self._apply(event) for event in answer.events):
            self._begin_anew(head)
            return False
        reached = self.position.sequence if self.position else 0
        if head.sequence > reached and not answer.events:
            self._begin_anew(head)
            return False
        return head.sequence > reached

    def _apply(self, event: FeedEvent) -> bool:
        assert self.position is not None
        sequence = event.position.sequence
        if sequence > self.position.sequence + 1:
            return False
        if sequence == self.position.sequence + 1:
            self.position = event.position
            for mailbox in self._mailboxes.get(event.job.job_id, ()):
                mailbox.put(event.job)
        return True

    def _begin_anew(self, head: FeedPosition) -> None:
        """The events between can not be had any more: each watcher reads its own job instead."""
        self.position = head
        for mailbox in self.mailboxes():
            mailbox.lose()
