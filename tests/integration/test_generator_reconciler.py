"""Lost calls looked up in the simulator's listing, and what is reported of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from generator.adapters.endpoint import ProviderError
from generator.worker.reconciler import look_once
from mediagen.store.v1 import attempt_ledger_service_pb2 as pb
from tests.fakes.generator_bench import FLUX, Rig, generator_rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with generator_rig() as made:
        yield made


async def lost_job(rig: Rig, fault: str, prompt: str = "a cat") -> pb.AttemptEvidence:
    """Runs a job whose create goes wrong, looks once, and gives what was shown of it."""
    rig.sim.set_fault(fault, count=1)
    job = rig.ledger.add(prompt, FLUX, prompt)
    await rig.run(job)
    rig.ledger.lose(job.attempts[0])
    assert await look_once(rig.parts) >= 1
    return rig.ledger.scans[-1].evidence[-1]


async def test_a_lost_call_that_was_created_is_found(rig: Rig) -> None:
    """By its input, which our seed makes unique; the store then adopts it."""
    found = await lost_job(rig, "drop_after_create")
    (identity,) = found.strong_prediction_ids
    assert identity == rig.sim.ledger()["predictions"][0]["id"]
    assert found.weak_candidates == 0


async def test_a_lost_call_that_was_not_created_shows_nothing(rig: Rig) -> None:
    """Other predictions in the window are provably other requests."""
    await rig.run(rig.ledger.add("other", FLUX, "a dog"))
    found = await lost_job(rig, "500")
    assert not found.strong_prediction_ids
    assert found.weak_candidates == 0


async def test_an_emptied_prediction_in_the_window_keeps_it_in_doubt(rig: Rig) -> None:
    """Its input is gone, so it could be the lost one."""
    rig.sim.set_fault("data_removal_after", 0, count=1)
    await rig.run(rig.ledger.add("other", FLUX, "a dog"))
    found = await lost_job(rig, "500")
    assert (list(found.strong_prediction_ids), found.weak_candidates) == ([], 1)


async def test_the_report_carries_the_stores_own_time(rig: Rig) -> None:
    """Of the call before the look began."""
    before = datetime.now(UTC)
    await lost_job(rig, "500")
    began = rig.ledger.scans[-1].began.ToDatetime(UTC)
    assert before <= began <= datetime.now(UTC)


async def test_the_listing_is_read_to_its_last_page(rig: Rig) -> None:
    """A hundred to a page."""
    for n in range(120):
        await rig.parts.creates.create(
            FLUX, {"prompt": str(n)}, cancel_after=600, send_by=time.monotonic() + 5
        )
    listing = await rig.parts.provider.listing(datetime(2026, 1, 1, tzinfo=UTC))
    assert len(listing.predictions) == 120
    assert abs(listing.skew.total_seconds()) < 2


async def test_a_listing_that_can_not_be_read_is_not_reported(rig: Rig) -> None:
    """A failed look proves nothing."""
    rig.sim.set_fault("500", on="list")
    with pytest.raises(ProviderError):
        await lost_job(rig, "drop_after_create")
    assert rig.ledger.scans == []


async def test_what_came_too_late_is_canceled(rig: Rig) -> None:
    """The store names it, the worker ends it."""
    rig.sim.set_fault("run", 600)
    rig.ledger.scan_orphans = ["x"]
    await rig.parts.creates.create(
        FLUX, {"prompt": "orphan"}, cancel_after=600, send_by=time.monotonic() + 5
    )
    rig.ledger.scan_orphans = [rig.sim.ledger()["predictions"][0]["id"]]
    await lost_job(rig, "500")
    assert rig.sim.ledger()["predictions"][0]["status"] == "canceled"
