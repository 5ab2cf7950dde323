"""Brings the database to the newest schema, or says whether it and the tables here are equal.

DATABASE_URL=… python -m store.adapters.migrate [upgrade | check]
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from store.adapters import model_tables


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: sa.Connection) -> None:
    command.upgrade(_config(connection), "head")


async def upgrade(url: str) -> None:
    """Upgrades to the newest schema. Several replicas may do so at once: one does the work."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()


def _differences(connection: sa.Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [
        *compare_metadata(context, model_tables.metadata),
        *_constraint_differences(connection),
    ]


def _constraint_differences(connection: sa.Connection) -> list[object]:
    """CHECK constraints, which Alembic does not compare: names on both sides."""
    query = sa.text(
        "SELECT conrelid::regclass || '.' || conname FROM pg_constraint "
        "WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )
    there = set(connection.execute(query).scalars())
    here = {
        f"{table.name}.{constraint.name}"
        for table in model_tables.metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    return [("check_constraint", name) for name in sorted(there ^ here)]


async def differences(url: str) -> list[object]:
    """What differs between the database's schema and the tables in the code."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_differences)
    finally:
        await engine.dispose()


def main() -> None:
    """Upgrades, or checks and exits with 1 on a difference."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise SystemExit("Set DATABASE_URL, as in .env.example.")
    if sys.argv[1:] in ([], ["upgrade"]):
        asyncio.run(upgrade(url))
    elif sys.argv[1:] == ["check"]:
        found = asyncio.run(differences(url))
        for each in found:
            print(each)
        raise SystemExit(1 if found else 0)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
