"""The README's "Follow one job", walked: one job, step by step, on every real part.

submit ─▶ written ─▶ admitted ─▶ published ─▶ claimed ─▶ called ─▶ observed ─▶ saved
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import httpx
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.ext.asyncio import create_async_engine

from devstack.testing import Stack
from mediagen import Client
from mediagen.v1.attempt_pb2 import CHARGE_YES, Attempt
from mediagen.v1.job_pb2 import Job
from store.adapters import tables as t

from .workers import calls

PROMPT = "a lighthouse that is followed from the prompt to the picture"
MODEL = "black-forest-labs/flux-schnell"


async def rows(
    stack: Stack, query: sa.Select[tuple[object, ...]]
) -> list[sa.Row[tuple[object, ...]]]:
    """What the database holds."""
    engine = create_async_engine(stack.database_url)
    async with engine.connect() as connection:
        found = list(await connection.execute(query))
    await engine.dispose()
    return found


async def test_follow_one_job(stack: Stack, http: httpx.AsyncClient, tmp_path: Path) -> None:
    """Each step leaves what the next one needs, and the ledger shows one paid call."""
    async with Client(stack.gateway_address) as client:
        # 1, 2. Submitted, and written before it is answered; again with the same id is the same.
        job = await client.submit(
            PROMPT, model=MODEL, labels={"test": "follow"}, request_id="follow-1"
        )
        again = await client.submit(
            PROMPT, model=MODEL, labels={"test": "follow"}, request_id="follow-1"
        )
        assert again.job_id == job.job_id

        # 3 to 8. Every revision from the first to the last, once and in order.
        seen = [each async for each in client.watch(job.job_id)]
        final = seen[-1]
        revisions = [each.revision for each in seen]
        assert revisions == list(range(revisions[0], final.revision + 1))
        states = list(dict.fromkeys(each.state for each in seen))
        assert states[-2:] == [Job.STATE_RUNNING, Job.STATE_COMPLETED]
        stages = [each.stage for each in seen if each.stage]
        assert stages == sorted(stages), "submitting, starting, processing, saving"

        # 6. One paid call, on record with its id and its charge.
        assert [attempt.state for attempt in final.attempts] == [Attempt.STATE_SUCCEEDED]
        assert final.charge == CHARGE_YES
        made = calls(stack, PROMPT)
        assert [call["id"] for call in made] == [final.attempts[0].prediction_id]

        # 8. The file is what the job says, over gRPC and over HTTP.
        artifact = await client.download(job.job_id, to=tmp_path / "lighthouse.webp")
        content = (tmp_path / "lighthouse.webp").read_bytes()
        assert hashlib.sha256(content).hexdigest() == artifact.sha256
        assert (await http.get(final.artifacts[0].url)).content == content
        assert Image.open(io.BytesIO(content)).size == (1024, 1024)

    # Nothing is left that would move it again.
    of_job = t.dispatches.c.job_id == sa.cast(job.job_id, sa.Uuid)
    assert await rows(stack, sa.select(t.dispatches.c.job_id).where(of_job)) == []
    mine = sa.cast(job.job_id, sa.Uuid)
    [row] = await rows(
        stack,
        sa.select(t.jobs.c.state, t.jobs.c.mover, t.jobs.c.lease_owner).where(
            t.jobs.c.job_id == mine
        ),
    )
    assert tuple(row) == ("COMPLETED", None, None)
    events = await rows(
        stack, sa.select(t.events.c.revision, t.events.c.sequence).where(t.events.c.job_id == mine)
    )
    assert sorted(revision for revision, _ in events) == list(range(1, final.revision + 1))
