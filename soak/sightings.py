"""What did a watcher see, and was it every revision of its job, once and in order? Pure.

What is left out must be covered by a gap that names it, with a snapshot behind it on the same
stream. A stream that starts from nothing begins with a snapshot of the job as it is then.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from google.rpc import code_pb2

from mediagen.v1.generation_service_pb2 import WatchJobResponse
from mediagen.v1.job_pb2 import Job
from mediagen.watching import is_final


class Kind(StrEnum):
    """What came: the whole job, one change of it, or word that some will not come."""

    SNAPSHOT = "snapshot"
    UPDATE = "update"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One message. stream: which of the watch's streams brought it, from 0.

    revision: the job's, or the first one of a gap; last: the last one of a gap.
    """

    stream: int
    kind: Kind
    revision: int
    last: int = 0


@dataclass
class Watch:
    """One job, and all that came of it, over as many streams as it took.

    last: the last revision seen, behind which the next stream goes on. odd: answers that are no
    reason to try again.
    """

    number: int
    job_id: str
    over_sse: bool
    sightings: list[Sighting] = field(default_factory=list)
    streams: int = 0
    last: int = 0
    ended: bool = False
    odd: list[str] = field(default_factory=list)

    def take(self, message: WatchJobResponse) -> None:
        """A message of WatchJob."""
        match message.WhichOneof("event"):
            case "snapshot":
                self._take_job(Kind.SNAPSHOT, message.snapshot)
            case "update":
                self._take_job(Kind.UPDATE, message.update)
            case "gap":
                self._note(Kind.GAP, message.gap.from_revision, message.gap.to_revision)

    def take_frame(self, frame: Mapping[str, str]) -> None:
        """A server-sent event, by its fields."""
        data: dict[str, Any] = json.loads(frame["data"])
        match frame.get("event"):
            case "snapshot":
                self._note(Kind.SNAPSHOT, data["revision"])
            case "update":
                self._note(Kind.UPDATE, data["revision"])
            case "gap":
                self._note(Kind.GAP, data["from_revision"], data["to_revision"])
            case "end":
                self.ended = True
                if data["revision"] != self.last:  # else it repeats what the caller knew
                    self._note(self._kind_of_end(), data["revision"])
            case "error" if data.get("code") != code_pb2.UNAVAILABLE:
                self.odd.append(f"SSE: {frame['data'][:200]}")

    def _take_job(self, kind: Kind, job: Job) -> None:
        self._note(kind, job.revision)
        self.ended = is_final(job)

    def _kind_of_end(self) -> Kind:
        """The final job comes as `end`, whether it is one change on or the whole job."""
        whole = not self.sightings or self.sightings[-1].kind is Kind.GAP
        return Kind.SNAPSHOT if whole else Kind.UPDATE

    def _note(self, kind: Kind, revision: int, last: int = 0) -> None:
        self.sightings.append(Sighting(self.streams - 1, kind, revision, last))
        if kind is not Kind.GAP:
            self.last = max(self.last, revision)


@dataclass(slots=True)
class Seen:
    """missed: neither seen nor covered by a gap. repeated: seen again, or out of order."""

    last: int = 0
    missed: int = 0
    repeated: int = 0
    gaps: int = 0


def count(sightings: Iterable[Sighting], final_revision: int) -> Seen:
    """What a watcher missed of a job that ended with *final_revision*."""
    seen = Seen()
    gap: Sighting | None = None
    for each in sightings:
        if gap is not None and gap.stream != each.stream:
            gap = None  # cut off before its snapshot: the next stream tells it again
        if each.kind is Kind.GAP:
            gap = each
        elif each.kind is Kind.SNAPSHOT:
            _snapshot(seen, each, gap)
            gap = None
        else:
            _advance(seen, each.revision)
    seen.missed += max(0, final_revision - seen.last)
    return seen


def _snapshot(seen: Seen, snapshot: Sighting, gap: Sighting | None) -> None:
    if seen.last == 0:
        seen.last = snapshot.revision  # where the watch begins
    elif gap is not None and gap.revision == seen.last + 1 and gap.last == snapshot.revision - 1:
        seen.gaps += 1
        seen.last = snapshot.revision
    else:
        _advance(seen, snapshot.revision)


def _advance(seen: Seen, revision: int) -> None:
    if revision <= seen.last:
        seen.repeated += 1
        return
    seen.missed += revision - seen.last - 1
    seen.last = revision
