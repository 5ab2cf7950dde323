"""The catalogue's rows as messages, and what its statements share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from google.protobuf.struct_pb2 import Struct

from mediagen.v1 import model_pb2
from store.adapters import model_tables as m
from store.adapters.database import CLOCK
from store.adapters.projection import duration, timestamp
from store.domain.forecasting import LEAST_RUNS
from store.domain.line import Runs, spread
from store.domain.models import Allowed

MODELS: Final = m.models.c
VERSIONS: Final = m.model_versions.c

#: The next revision of a model.
NEXT_REVISION: Final = sa.func.greatest(
    MODELS.revision + 1, sa.cast(sa.extract("epoch", CLOCK) * 1000, sa.BigInteger)
)
FIRST_REVISION: Final = sa.cast(sa.extract("epoch", CLOCK) * 1000, sa.BigInteger)


def allowed_names(allowed: Allowed, name: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The *name* of a row is that of a model that jobs may name."""
    if allowed.everything:
        return sa.true()
    owner = sa.func.split_part(name, "/", 1)
    return sa.or_(name.in_(sorted(allowed.names)), owner.in_(sorted(allowed.owners)))


def model_message(row: Any, runs: Runs, version: str = "") -> model_pb2.Model:
    """The public form of a model, without its schemas and without the URL of its cover."""
    price = None
    if row.price_usd is not None:
        unit = model_pb2.Price.Unit.Value(f"UNIT_{row.price_unit}")
        price = model_pb2.Price(usd=row.price_usd, unit=unit)
    return model_pb2.Model(
        name=row.name,
        description=row.description,
        version=version or row.version,
        official=row.official,
        output_kind=model_pb2.Model.OutputKind.Value(f"OUTPUT_KIND_{row.output_kind}"),
        run_time=_run_time(runs, row.usual_seconds),
        price=price,
        provider_url=row.provider_url,
        sync_time=timestamp(row.read_time),
        sync_problem=row.problem,
    )


def _run_time(runs: Runs, usual: float | None) -> model_pb2.RunTime | None:
    """Of its recent jobs if there are enough of them, else as it was shipped or told."""
    if len(runs) >= LEAST_RUNS:
        found = spread(runs)
        p50, p90 = (duration(timedelta(seconds=each)) for each in (found.p50, found.p90))
        return model_pb2.RunTime(p50=p50, p90=p90, runs_counted=len(runs))
    if usual is None:
        return None
    return model_pb2.RunTime(p50=duration(timedelta(seconds=usual)))


def schema_message(schema: dict[str, Any] | None) -> Struct:
    """A schema as it goes over the wire."""
    message = Struct()
    message.update(schema or {})
    return message
