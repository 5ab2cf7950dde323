"""When was the provider last asked about the whole catalogue? It is not asked again at once.

Every model is a call or two, of which the provider takes only so many.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import tables as t
from store.adapters.database import CLOCK

ONCE_IN: Final = timedelta(seconds=10)
NAME: Final = "models sync"  #: of the row in singletons

_S: Final = t.singletons.c


async def last_sync(connection: AsyncConnection) -> datetime | None:
    """When that was, if it is not to be done again yet; None: it is ours to do now."""
    if (await connection.execute(_BEGIN)).one_or_none() is not None:
        return None
    until: datetime = (await connection.execute(_UNTIL)).scalar_one()
    return until - ONCE_IN


def _begin() -> Any:
    """A row if it is to be done now. Of two at the same time the second waits, and has none."""
    until = CLOCK + ONCE_IN
    return (
        insert(t.singletons)
        .values(name=NAME, until=until)
        .on_conflict_do_update(
            index_elements=["name"], set_={"until": until}, where=_S.until <= CLOCK
        )
        .returning(_S.name)
    )


# Built once: to build a statement takes longer than to run it.
_BEGIN = _begin()
_UNTIL = sa.select(_S.until).where(_S.name == NAME)
