"""What a caller of GetHealth reads of each part."""

from __future__ import annotations

from gateway.domain.errors import StoreUnavailable
from gateway.rpc.health_view import NOT_SERVING, SERVING, HealthView
from mediagen.store.v1.job_store_service_pb2 import GetHealthResponse

PARTS = ("gateway", "store", "database", "broker", "provider", "workers", "dead_letters")


class Source:
    """A store that says this, or nothing."""

    def __init__(self, said: GetHealthResponse | None) -> None:
        self._said = said

    async def get_health(self) -> GetHealthResponse:
        if self._said is None:
            raise StoreUnavailable
        return self._said


def well(**more: object) -> GetHealthResponse:
    """All is well, but for *more*."""
    parts = {"database": True, "broker": True, "provider": True, "workers": 2, "slots": 64}
    return GetHealthResponse(**{**parts, **more})  # type: ignore[arg-type]


async def look(said: GetHealthResponse | None) -> tuple[str, dict[str, tuple[str, str]]]:
    """The whole, and each part with its words."""
    seen = await HealthView(Source(said), lambda: False, lambda: True).look()
    return seen.status, {each.name: (each.status, each.message) for each in seen.components}


async def test_every_part_is_named_whatever_is_away() -> None:
    """In one order; what can not be asked is not serving."""
    for said in (well(), well(database=False), GetHealthResponse(), None):
        _, parts = await look(said)
        assert tuple(parts) == PARTS


async def test_parked_and_dead_jobs_are_counted_and_stop_nothing() -> None:
    """An operator is to decide about them; new jobs are taken all the same."""
    whole, parts = await look(well(parked_jobs=1, dead_jobs=3))
    assert whole == SERVING
    assert parts["dead_letters"] == (
        SERVING,
        "Jobs that an operator is to decide about: 1 parked, 3 dead.",
    )
    assert parts["provider"] == (SERVING, "")
    assert (await look(well()))[1]["dead_letters"] == (SERVING, "")


async def test_counts_are_said_in_words_that_fit() -> None:
    """One worker, two workers."""
    _, parts = await look(well(workers=1, slots=1, running_jobs=1, waiting_jobs=1))
    assert parts["workers"][1] == "1 worker, 1 of 1 slot busy, 1 job waiting."
    _, parts = await look(well())
    assert parts["workers"][1] == "2 workers, 0 of 64 slots busy, 0 jobs waiting."


async def test_a_simulator_is_told_of() -> None:
    """As the store says it; what does not answer is not called simulated."""
    for said, simulated in ((well(simulated=True), True), (well(), False), (None, False)):
        seen = await HealthView(Source(said), lambda: False, lambda: True).look()
        assert seen.simulated is simulated


async def test_a_shut_account_is_told_in_the_provider_s_words() -> None:
    """Jobs are taken, and wait."""
    whole, parts = await look(well(provider=False, provider_message="No credit is left."))
    assert whole == SERVING
    assert parts["provider"] == (NOT_SERVING, "No credit is left.")


async def test_without_the_database_nothing_is_said_of_what_it_knows() -> None:
    """That the account is shut, or that no worker is there, would be made up."""
    whole, parts = await look(well(database=False, provider=False, workers=0))
    assert whole == NOT_SERVING
    told = {parts[name] for name in ("provider", "workers", "dead_letters")}
    assert told == {(NOT_SERVING, "Not known: the database does not answer.")}
