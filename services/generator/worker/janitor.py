"""How do bytes go that nobody is to have any more? The store names their keys; a worker deletes.

    TakeDoomedObjects ─▶ delete each ─▶ RecordDeletedObjects
An object that is not there counts as deleted. What fails, or was taken by a worker that died, is
named again after five minutes. Of files that were never finished, as their writer was killed, the
store knows nothing: once a day old, they go too.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from generator.worker.chores import keep_at
from generator.worker.parts import Parts
from mediagen.store.v1 import file_service_pb2 as pb
from servicekit.lifecycle import Stop
from servicekit.objects import InvalidKey, ObjectError

log = structlog.get_logger()

EVERY = 5.0  #: seconds
LONGEST_REST = 60.0
MOST = 100
AT_ONCE = 4
LONGEST_TURN = 120.0  #: seconds; well below what the store waits before it names them again
UNFINISHED_EVERY = 3600.0  #: seconds
UNFINISHED_AGE = timedelta(days=1)  #: no write takes that long


async def sweep_objects(parts: Parts, stop: Stop, every: float = EVERY) -> None:
    """Until *stop*."""
    await keep_at(sweep_once, parts, stop, every=every, longest=LONGEST_REST)


async def sweep_once(parts: Parts) -> bool:
    """One turn. Whether there may be more to delete now."""
    keys = await parts.chores.doomed_objects(
        pb.TakeDoomedObjectsRequest(worker_id=parts.worker_id, limit=MOST)
    )
    if not keys:
        return False
    deleted: list[str] = []
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(key: str) -> None:
        async with turns:
            if await _deleted(parts, key):
                deleted.append(key)

    try:
        async with asyncio.timeout(LONGEST_TURN):
            await asyncio.gather(*(one(key) for key in keys))
    except TimeoutError:
        log.warning("sweeping.slow", deleted=len(deleted), of=len(keys))
    if deleted:
        await parts.chores.record_deleted(pb.RecordDeletedObjectsRequest(object_keys=deleted))
        log.info("objects.deleted", count=len(deleted))
    return len(deleted) == len(keys) == MOST


async def sweep_unfinished(parts: Parts, stop: Stop, every: float = UNFINISHED_EVERY) -> None:
    """Until *stop*."""
    await keep_at(sweep_unfinished_once, parts, stop, every=every, longest=UNFINISHED_EVERY)


async def sweep_unfinished_once(parts: Parts) -> bool:
    """One turn."""
    if count := await parts.objects.delete_unfinished(UNFINISHED_AGE):
        log.info("unfinished.deleted", count=count)
    return False


async def _deleted(parts: Parts, key: str) -> bool:
    try:
        await parts.objects.delete(key)
    except InvalidKey:
        log.error("sweeping.key_unusable", key=key[:100])  # nothing can lie there
    except ObjectError as error:
        log.warning("sweeping.not_deleted", key=key, error=str(error))
        return False
    return True
