"""How do the shipped models come into the catalogue?"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from store.adapters import model_tables as m
from store.adapters.catalogue_rows import FIRST_REVISION, MODELS, NEXT_REVISION, VERSIONS
from store.adapters.database import CLOCK
from store.adapters.shipped import Shipped
from store.domain.models import ReadState


async def write_shipped(connection: AsyncConnection, model: Shipped) -> None:
    """Writes it where it is missing, and over what the provider has told nothing of yet. What the
    provider does not tell is always as it was shipped last."""
    own = {
        "output_kind": str(model.output_kind),
        "price_usd": model.price[0] if model.price else None,
        "price_unit": str(model.price[1]) if model.price else None,
    }
    row = own | {
        "state": str(ReadState.KNOWN),
        "description": model.description,
        "official": model.official,
        "version": model.version,
        "provider_url": model.provider_url,
        "usual_seconds": model.usual_seconds,
    }
    made = insert(m.models).values(
        name=model.name, **row, revision=FIRST_REVISION, create_time=CLOCK, due_time=CLOCK
    )
    written = made.on_conflict_do_update(
        index_elements=["name"],
        set_={**row, "revision": NEXT_REVISION},
        where=MODELS.read_time.is_(None),
    ).returning(MODELS.name)
    if (await connection.execute(written)).one_or_none() is None:
        differs = [MODELS[name].is_distinct_from(value) for name, value in own.items()]
        await connection.execute(
            sa.update(m.models)
            .where(MODELS.name == model.name, sa.or_(*differs))
            .values(revision=NEXT_REVISION, **own)
        )
        return
    schemas = {
        "state": str(ReadState.KNOWN),
        "input_schema": model.schemas.input,
        "output_schema": model.schemas.output,
    }
    version = insert(m.model_versions).values(
        name=model.name, version=model.version, **schemas, create_time=CLOCK
    )
    await connection.execute(
        version.on_conflict_do_update(
            index_elements=["name", "version"], set_=schemas, where=VERSIONS.read_time.is_(None)
        )
    )
