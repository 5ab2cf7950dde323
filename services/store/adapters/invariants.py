"""What must be true of every job and file at every commit, as queries that return what breaks it.

Run after every integration test, by the soak, and by an operator at any time:

    DATABASE_URL=… python -m store.adapters.invariants
"""

from __future__ import annotations

import asyncio
import os

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

#: Every non-final job has exactly one mover: admission, a dispatch row, a lease, the reconciler.
ONE_MOVER = """
SELECT j.job_id, j.state, j.mover FROM jobs j LEFT JOIN dispatches d USING (job_id)
WHERE j.state IN ('PENDING', 'RUNNING') AND (
    j.mover IS NULL
    OR (j.mover = 'DISPATCH') <> (d.job_id IS NOT NULL)
    OR (j.mover = 'DISPATCH' AND d.dispatch <> j.dispatch)
    OR (j.mover = 'LEASE') <> (j.lease_owner IS NOT NULL)
    OR (j.mover = 'RECONCILER') <> EXISTS (
        SELECT FROM attempts a WHERE a.job_id = j.job_id AND a.state IN ('UNKNOWN', 'UNRESOLVED')
    )
    OR (j.mover = 'ADMISSION' AND j.state <> 'PENDING')
)
"""

#: A final job has no open attempt, no lease and no dispatch row.
FINAL_IS_QUIET = """
SELECT j.job_id, j.state, j.mover FROM jobs j
WHERE j.state NOT IN ('PENDING', 'RUNNING') AND (
    j.lease_owner IS NOT NULL
    OR EXISTS (SELECT FROM dispatches d WHERE d.job_id = j.job_id)
    OR EXISTS (
        SELECT FROM attempts a
        WHERE a.job_id = j.job_id AND a.state IN ('SUBMITTING', 'SUBMITTED', 'UNKNOWN')
    )
)
"""

#: Every revision of a job is an event, and no event is of a revision that is not.
EVERY_REVISION = """
SELECT j.job_id, j.state, j.mover FROM jobs j
WHERE j.revision <> (SELECT count(*) FROM events e WHERE e.job_id = j.job_id)
   OR j.revision <> (SELECT max(e.revision) FROM events e WHERE e.job_id = j.job_id)
"""

#: Only a call that has succeeded leaves artifacts.
LISTED_AFTER_A_SUCCESS = """
SELECT j.job_id, j.state, j.mover FROM jobs j
WHERE EXISTS (SELECT FROM artifacts f WHERE f.tenant = j.tenant AND f.job_id = j.job_id)
  AND NOT EXISTS (
    SELECT FROM attempts a
    WHERE a.tenant = j.tenant AND a.job_id = j.job_id AND a.output IS NOT NULL AND a.charge = 'YES'
)
"""

#: What is kept is not to be deleted: no row names an object that a worker may delete.
KEPT_IS_NOT_DOOMED = """
SELECT f.job_id, 'artifact ' || f.index AS state, d.object_key AS mover
FROM doomed_objects d JOIN artifacts f ON f.object_key = d.object_key WHERE f.delete_time IS NULL
UNION ALL
SELECT f.job_id, 'preview ' || f.index, d.object_key
FROM doomed_objects d JOIN artifacts f ON f.preview_key = d.object_key WHERE f.delete_time IS NULL
UNION ALL
SELECT u.upload_id, 'upload', d.object_key FROM uploads u JOIN doomed_objects d USING (object_key)
UNION ALL
SELECT NULL, 'cover of ' || m.name, d.object_key
FROM models m JOIN doomed_objects d ON d.object_key = m.cover_key
"""

#: The secrets of a job that is final are wiped.
FINAL_KEEPS_NO_SECRET = """
SELECT j.job_id, j.state, j.mover FROM jobs j
WHERE j.secrets IS NOT NULL AND (
    j.state NOT IN ('PENDING', 'RUNNING') OR j.secrets_digest IS NULL
)
"""

INVARIANTS = {
    "one mover": ONE_MOVER,
    "a final job is quiet": FINAL_IS_QUIET,
    "every revision is an event": EVERY_REVISION,
    "listed after a success": LISTED_AFTER_A_SUCCESS,
    "what is kept is not to be deleted": KEPT_IS_NOT_DOOMED,
    "a final job keeps no secret": FINAL_KEEPS_NO_SECRET,
}


async def broken(url: str) -> list[str]:
    """A line for all that breaks an invariant. Empty is how it must be."""
    engine = create_async_engine(url)
    lines: list[str] = []
    try:
        async with engine.connect() as connection:
            for name, query in INVARIANTS.items():
                rows = (await connection.execute(sa.text(query))).all()
                lines += [f"{name}: {row.job_id} {row.state} {row.mover}" for row in rows]
    finally:
        await engine.dispose()
    return lines


def main() -> None:
    """Prints what is broken, and exits with 1 if anything is."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise SystemExit("Set DATABASE_URL, as in .env.example.")
    lines = asyncio.run(broken(url))
    print("\n".join(lines) or "Every invariant holds.")
    raise SystemExit(1 if lines else 0)


if __name__ == "__main__":
    main()
