"""What does a model take, without asking the store with every submit?

    up to 5 s old     used as it is
    up to a minute    used, and read again meanwhile
    older, or none    read first
At most one read of a model is under way. What is not known yet is asked about until a worker knows.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass

import structlog

from gateway.adapters.catalogue import CatalogueClient
from gateway.domain.inputs import plain
from gateway.domain.model_inputs import InputSchema, UnusableSchema
from mediagen.store.v1.catalogue_service_pb2 import ReadModelResponse
from mediagen.v1 import model_pb2

log = structlog.get_logger()

FRESH = 5.0
STALE = 60.0
#: Seconds that a caller waits for a worker to ask the provider.
LONGEST_WAIT = 8.0
#: Seconds between two looks at what is not known yet, at first; each time so much longer.
BETWEEN_LOOKS, LONGER, MOST_BETWEEN_LOOKS = 0.4, 1.5, 2.0
MOST_MODELS = 1000
#: Of all that are kept, as the store told them; in memory they take several times as much.
MOST_BYTES = 64 * 1024 * 1024
MOST_WAITING = 200

Outcome = ReadModelResponse.Outcome
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue has of a model. *schema* is None unless the outcome is FOUND."""

    outcome: Outcome.ValueType
    model: model_pb2.Model
    schema: InputSchema | None = None
    revision: int = 0
    cover_key: str = ""
    similar: tuple[str, ...] = ()
    problem: str = ""


@dataclass(slots=True)
class _Kept:
    known: Known
    time: float
    size: int


class Models:
    """The models that were asked for lately. Raises StoreUnavailable where it has to read."""

    def __init__(self, catalogue: CatalogueClient) -> None:
        self._catalogue = catalogue
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()
        self._size = 0
        self._reads: dict[tuple[_Key, bool], asyncio.Task[Known]] = {}
        self._waiting = 0

    async def look(self, name: str, version: str = "", *, patience: float = 0.0) -> Known:
        """What is known of it now. *patience*: seconds to wait for a worker where that is nothing
        yet."""
        return await self._patiently(await self._current((name, version)), name, version, patience)

    async def fresh(self, name: str, version: str = "", *, patience: float = 0.0) -> Known:
        """The same, with all that the catalogue has by now: it tells more than its revision."""
        known = await self._read((name, version), whole=True)
        return await self._patiently(known, name, version, patience)

    async def _patiently(self, known: Known, name: str, version: str, patience: float) -> Known:
        if known.outcome != ReadModelResponse.OUTCOME_UNREAD or self._waiting >= MOST_WAITING:
            return known
        end, rest = time.monotonic() + patience, BETWEEN_LOOKS
        self._waiting += 1
        try:
            while (
                known.outcome == ReadModelResponse.OUTCOME_UNREAD and time.monotonic() + rest < end
            ):
                await asyncio.sleep(rest)
                known = await self._current((name, version))
                rest = min(rest * LONGER, MOST_BETWEEN_LOOKS)
        finally:
            self._waiting -= 1
        return known

    async def _current(self, key: _Key) -> Known:
        kept = self._kept.get(key)
        if kept is None:
            return await self._read(key)
        self._kept.move_to_end(key)
        age = time.monotonic() - kept.time
        unread = kept.known.outcome == ReadModelResponse.OUTCOME_UNREAD
        if age < (BETWEEN_LOOKS if unread else FRESH):
            return kept.known
        if age < STALE and kept.known.outcome == ReadModelResponse.OUTCOME_FOUND:
            self._flight(key, whole=False)
            return kept.known
        return await self._read(key)

    async def _read(self, key: _Key, *, whole: bool = False) -> Known:
        # One who leaves does not take the answer from the others.
        return await asyncio.shield(self._flight(key, whole=whole))

    def _flight(self, key: _Key, *, whole: bool) -> asyncio.Task[Known]:
        flight = self._reads.get((key, whole))
        if flight is None:
            flight = asyncio.create_task(self._fly(key, whole))
            self._reads[key, whole] = flight
            flight.add_done_callback(lambda done: self._landed(key, whole, done))
        return flight

    def _landed(self, key: _Key, whole: bool, flight: asyncio.Task[Known]) -> None:
        del self._reads[key, whole]
        if not flight.cancelled() and (error := flight.exception()) is not None:
            # Whoever waits for it is told; nobody may.
            log.warning("model.unread", model=key[0], error=str(error))

    async def _fly(self, key: _Key, whole: bool) -> Known:
        """Reads, *whole* also what has no new revision."""
        kept = self._kept.get(key)
        before = kept.known if kept is not None else None
        revision = before.revision if before is not None and not whole else 0
        answer = await self._catalogue.read(*key, known_revision=revision)
        size = answer.ByteSize()
        if answer.outcome == ReadModelResponse.OUTCOME_UNCHANGED and kept is not None:
            known, size = kept.known, kept.size
        else:
            # A large schema takes seconds, which other callers need not wait for.
            known = await asyncio.to_thread(_known, key[0], answer, before)
        self._keep(key, _Kept(known, time.monotonic(), size))
        return known

    def _keep(self, key: _Key, kept: _Kept) -> None:
        """In the place of what was kept of it; those that nobody asked for longest make room."""
        if (old := self._kept.pop(key, None)) is not None:
            self._size -= old.size
        self._kept[key] = kept
        self._size += kept.size
        while len(self._kept) > MOST_MODELS or self._size > MOST_BYTES:
            _, gone = self._kept.popitem(last=False)
            self._size -= gone.size


def _known(name: str, answer: ReadModelResponse, before: Known | None) -> Known:
    return Known(
        answer.outcome,
        answer.model,
        _schema(name, answer, before),
        answer.revision,
        answer.cover_object_key,
        tuple(answer.similar_names),
        answer.problem,
    )


def _schema(name: str, answer: ReadModelResponse, before: Known | None) -> InputSchema | None:
    if answer.outcome != ReadModelResponse.OUTCOME_FOUND:
        return None
    if before is not None and before.schema is not None and before.revision == answer.revision:
        return before.schema
    try:
        return InputSchema(name, plain(answer.model.input_schema))
    except UnusableSchema as error:
        # The store makes these: a model is not lost over a mistake of ours.
        log.error("model.schema_unusable", model=name, error=str(error))
        return InputSchema(name, {})
