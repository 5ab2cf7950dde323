"""How does a test get a thousand finished jobs without waiting for a thousand runs? As copies.

A job that really ran is copied in the store's tables, and its files beside themselves, each copy a
second older than the one before it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from devstack.testing import Stack
from mediagen.v1.job_pb2 import Job

Row = dict[str, Any]


@asynccontextmanager
async def copies(stack: Stack, job_ids: Sequence[str], number: int) -> AsyncIterator[list[str]]:
    """The ids of *number* copies of these jobs in turn, newest first. They are gone afterwards:
    they have no events, which a check of the whole store would find."""
    url = stack.database_url.replace("+asyncpg", "")
    connection = await asyncpg.connect(url)
    files = stack.state / "artifacts"
    links: list[Path] = []
    made: list[UUID] = []
    try:
        jobs = [await _rows(connection, "jobs", job_id) for job_id in job_ids]
        results = [await _rows(connection, "artifacts", job_id) for job_id in job_ids]
        new_jobs, new_results = [], []
        for age in range(1, number + 1):
            made.append(copy_id := uuid4())
            at = age % len(job_ids)
            new_jobs.append(_older(jobs[at][0], copy_id, age))
            for row in results[at]:
                new_results.append(copied := {**row, "job_id": copy_id})
                for column in ("object_key", "preview_key"):
                    if key := row[column]:
                        copied[column] = f"copies/{copy_id}/{column}/{row['index']}"
                        links.append(_link(files / key, files / copied[column]))
        await _insert(connection, "jobs", new_jobs)
        await _insert(connection, "artifacts", new_results)
        yield [str(job_id) for job_id in made]
    finally:
        for table in ("artifacts", "jobs"):
            await connection.execute(f"DELETE FROM {table} WHERE job_id = ANY($1)", made)
        await connection.close()
        for link in links:
            link.unlink()


async def _rows(connection: asyncpg.Connection[Any], table: str, job_id: str) -> list[Row]:
    found = await connection.fetch(f"SELECT * FROM {table} WHERE job_id = $1", UUID(job_id))
    return [dict(row) for row in found]


def _older(row: Mapping[str, Any], job_id: UUID, seconds: int) -> Row:
    accepted = row["create_time"] - timedelta(days=1, seconds=seconds)
    job = Job.FromString(row["view"])
    job.job_id = str(job_id)
    job.create_time.FromDatetime(accepted)
    changed = {"job_id": job_id, "request_id": None, "create_time": accepted}
    return {**row, **changed, "view": job.SerializeToString()}


async def _insert(connection: asyncpg.Connection[Any], table: str, rows: Sequence[Row]) -> None:
    if rows:
        columns = list(rows[0])
        records = [tuple(row[column] for column in columns) for row in rows]
        await connection.copy_records_to_table(table, records=records, columns=columns)


def _link(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.link(source, target)
    return target
