"""Which objects are to be deleted? The workers do it, each some of them, and say when it is done.

To delete one that is gone already is nothing, so what is not said to be done is done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from store.adapters import model_tables as m
from store.adapters.database import BEGUN, CLOCK, Database

TAKEN_FOR: Final = timedelta(minutes=5)

_D: Final = m.doomed_objects.c


class DoomedObjects:
    """Any number of workers take of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, limit: int) -> list[str]:
        """Keys to delete, the oldest first. For five minutes they are no one else's."""
        rows = await self._database.rows(_TAKE, {"most": limit}, "take_doomed_objects")
        return [row.object_key for row in rows]

    async def deleted(self, object_keys: Sequence[str]) -> None:
        """They are gone."""
        keys = {"of_keys": sorted(set(object_keys))}
        await self._database.rows(_DELETED, keys, "record_deleted_objects")


def _take() -> sa.Update:
    oldest: sa.Select[Any] = (
        sa.select(_D.object_key)
        .where(_D.available_at <= BEGUN)
        .order_by(_D.available_at)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(m.doomed_objects)
        .where(_D.object_key.in_(oldest))
        .values(available_at=CLOCK + TAKEN_FOR)
        .returning(_D.object_key)
    )


# Built once: to build a statement takes longer than to run it.
_TAKE = _take()
_DELETED = (
    sa.delete(m.doomed_objects)
    .where(_D.object_key == sa.any_(sa.bindparam("of_keys", type_=ARRAY(sa.Text))))
    .returning(_D.object_key)
)
