"""Where Alembic runs: on the connection it is given, or by hand on DATABASE_URL."""

from __future__ import annotations

import asyncio
import os

import sqlalchemy as sa
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

from store.adapters import model_tables

# A migration that waits for a lock makes every later statement wait behind it: rather give up.
LOCK_TIMEOUT = "5s"
ADVISORY_LOCK = 0x6D656469  # one migrator at a time, however many replicas start


def run(connection: sa.Connection) -> None:
    """Runs the migrations in one transaction, alone."""
    context.configure(
        connection=connection, target_metadata=model_tables.metadata, compare_type=True
    )
    with context.begin_transaction():
        connection.execute(sa.text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        context.run_migrations()


async def run_by_hand() -> None:
    """Connects to DATABASE_URL."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise SystemExit("Set DATABASE_URL, as in .env.example.")
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(run_by_hand())
