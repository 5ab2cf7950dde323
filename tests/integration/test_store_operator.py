"""What an operator decides about dead letters, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.v1 import failure_pb2, job_pb2
from mediagen.v1.attempt_pb2 import CHARGE_NO, CHARGE_UNKNOWN, CHARGE_YES, Attempt
from mediagen.v1.dead_letter_pb2 import DeadLetter
from store.domain.errors import DeadLetterNotFound

from .operator_bench import Context, Desk, Outcome, desk_at

PENDING, FAILED = job_pb2.Job.STATE_PENDING, job_pb2.Job.STATE_FAILED
COMPLETED = job_pb2.Job.STATE_COMPLETED
MAY_HAVE_COST = ("ran", "lost", "parked")
KINDS = ("died", *MAY_HAVE_COST)
HOSTILE_IDS = (
    "no-such-job",
    "' OR '1'='1",
    "%",
    "_" * 36,
    "🦊",
    "00000000-0000-0000-0000-000000000000",
    "{0193d7a2-0000-7000-8000-000000000000}",
    "urn:uuid:0193d7a2-0000-7000-8000-000000000000",
)
# The letter is written last: by then the new job stands in the transaction.
BREAKS = """
CREATE FUNCTION breaks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = '57P01'; END $$;
CREATE TRIGGER breaks BEFORE UPDATE ON dead_letters FOR EACH ROW EXECUTE FUNCTION breaks();
"""


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_at(database_url) as made:
        yield made


async def given_up(desk: Desk, kind: str) -> str:
    """A job of this kind."""
    make: Callable[[], Awaitable[str]] = getattr(desk, kind)
    return await make()


async def outcome_of(desk: Desk, job_id: str, *, force: bool = False) -> int:
    (result,) = await desk.redrive(job_id, force=force)
    return result.outcome


async def test_what_cost_nothing_is_made_again_as_a_new_job(desk: Desk) -> None:
    """The failed job stays as it is; both name each other, and the request is the same."""
    old_id = await desk.died(labels={"team": "art"}, request_id="theirs-1")
    before = await desk.bench.job(old_id)
    (result,) = await desk.redrive(old_id)
    assert result.outcome == Outcome.OUTCOME_DONE
    old, new = await desk.bench.job(old_id), await desk.bench.job(result.redriven_as)
    assert (old.state, old.revision, old.redriven_as) == (FAILED, before.revision, new.job_id)
    assert (new.state, new.redrive_of) == (PENDING, old_id)
    assert new.request.request_id not in ("", "theirs-1")
    new.request.request_id = old.request.request_id
    assert new.request == old.request
    assert new.deadline.seconds > old.deadline.seconds - 1
    assert desk.wakeups.admitter.is_set()
    assert desk.wakeups.numberer.is_set()


async def test_the_new_job_runs_like_any_other(desk: Desk) -> None:
    """It is claimed, called and completed."""
    old_id = await desk.died()
    (result,) = await desk.redrive(old_id)
    new_id = result.redriven_as
    claimed = await desk.bench.claim(new_id)
    await desk.bench.begin(new_id, claimed.lease_epoch)
    await desk.bench.record(new_id)
    await desk.bench.succeeded(new_id)
    await desk.bench.complete(new_id, claimed.lease_epoch)
    assert (await desk.bench.job(new_id)).state == COMPLETED
    letter = await desk.letter(old_id)
    assert (letter.state, letter.redriven_as) == (DeadLetter.STATE_REDRIVEN, new_id)


@pytest.mark.parametrize("kind", MAY_HAVE_COST)
async def test_what_may_have_cost_is_refused_unless_forced(desk: Desk, kind: str) -> None:
    """Nothing is paid again without being told to."""
    job_id = await given_up(desk, kind)
    count = await desk.jobs()
    (result,) = await desk.redrive(job_id)
    assert (result.outcome, result.redriven_as) == (Outcome.OUTCOME_MAY_PAY_TWICE, "")
    assert await desk.jobs() == count
    (result,) = await desk.redrive(job_id, force=True)
    assert result.outcome == Outcome.OUTCOME_DONE
    again = await desk.bench.job(result.redriven_as)
    assert again.state == PENDING
    assert (result.redriven_as == job_id) == (kind == "parked")


@pytest.mark.parametrize("kind", ["lost", "parked"])
async def test_a_forced_redrive_writes_the_old_call_off_first(desk: Desk, kind: str) -> None:
    """What occupied the job is closed, and what it cost stays on record."""
    job_id = await given_up(desk, kind)
    cost = (await desk.bench.job(job_id)).charge
    await desk.redrive(job_id, force=True)
    job = await desk.bench.job(job_id)
    assert [each.state for each in job.attempts] == [Attempt.STATE_WRITTEN_OFF]
    assert job.charge == cost != CHARGE_NO


async def test_a_parked_job_that_is_redriven_is_called_again_and_completes(desk: Desk) -> None:
    """It goes on itself, under its own id and within its deadline."""
    job_id = await desk.parked()
    assert (await desk.bench.job(job_id)).stage == job_pb2.Job.STAGE_RECONCILING
    await desk.redrive(job_id, force=True)
    claimed = await desk.bench.claim(job_id)
    assert claimed.road == lb.ROAD_SUBMIT
    await desk.bench.begin(job_id, claimed.lease_epoch)
    await desk.bench.record(job_id)
    await desk.bench.succeeded(job_id)
    await desk.bench.complete(job_id, claimed.lease_epoch)
    job = await desk.bench.job(job_id)
    assert (job.state, len(job.attempts), job.redriven_as) == (COMPLETED, 2, "")
    assert await outcome_of(desk, job_id, force=True) == Outcome.OUTCOME_ALREADY_DONE


async def test_a_job_that_is_parked_again_can_be_redriven_again(desk: Desk) -> None:
    """Each doubt is one decision."""
    job_id = await desk.parked()
    await desk.redrive(job_id, force=True)
    claimed = await desk.bench.claim(job_id)
    await desk.bench.begin(job_id, claimed.lease_epoch)
    await desk.park(job_id)
    assert (await desk.letter(job_id)).state == DeadLetter.STATE_PARKED
    assert await outcome_of(desk, job_id) == Outcome.OUTCOME_MAY_PAY_TWICE
    assert await outcome_of(desk, job_id, force=True) == Outcome.OUTCOME_DONE
    states = [each.state for each in (await desk.bench.job(job_id)).attempts]
    assert states == [Attempt.STATE_WRITTEN_OFF] * 2


@pytest.mark.parametrize("kind", KINDS)
async def test_redriving_again_names_the_same_job(desk: Desk, kind: str) -> None:
    """Idempotent, forced or not."""
    job_id = await given_up(desk, kind)
    (first,) = await desk.redrive(job_id, force=True)
    count = await desk.jobs()
    for force in (False, True):
        (again,) = await desk.redrive(job_id, force=force)
        assert again.outcome == Outcome.OUTCOME_ALREADY_DONE
        assert again.redriven_as == first.redriven_as
    assert await desk.jobs() == count


@pytest.mark.parametrize("kind", ["died", "parked"])
async def test_redriving_at_two_stores_at_once_makes_it_again_once(
    database_url: str, kind: str
) -> None:
    """The job's row is locked: the second finds it done."""
    async with AsyncExitStack() as stack:
        desks = [await stack.enter_async_context(desk_at(database_url)) for _ in range(2)]
        job_id = await given_up(desks[0], kind)
        asked = [desk.redrive(job_id, force=True) for desk in desks * 4]
        results = [each for (each,) in await asyncio.gather(*asked)]
        outcomes = sorted(each.outcome for each in results)
        assert outcomes == [Outcome.OUTCOME_DONE] + [Outcome.OUTCOME_ALREADY_DONE] * 7
        assert len({each.redriven_as for each in results}) == 1
        assert await desks[0].jobs() == (1 if kind == "parked" else 2)


async def test_the_job_made_again_is_a_dead_letter_of_its_own(desk: Desk) -> None:
    """Redriving the first again says what became of the first."""
    first = await desk.died()
    (result,) = await desk.redrive(first)
    second = result.redriven_as
    claimed = await desk.bench.claim(second)
    await desk.bench.begin(second, claimed.lease_epoch)
    await desk.bench.not_created(second, lb.FAILURE_KIND_PERMANENT)
    (again,) = await desk.redrive(first)
    assert (again.outcome, again.redriven_as) == (Outcome.OUTCOME_ALREADY_DONE, second)
    (third,) = await desk.redrive(second)
    assert third.outcome == Outcome.OUTCOME_DONE
    assert third.redriven_as not in (first, second)


@pytest.mark.parametrize("kind", KINDS)
async def test_discarding_closes_it_and_can_be_repeated(desk: Desk, kind: str) -> None:
    """Nothing is paid, and no new job is made."""
    job_id = await given_up(desk, kind)
    (result,) = await desk.discard(job_id)
    assert (result.outcome, result.redriven_as) == (Outcome.OUTCOME_DONE, "")
    (result,) = await desk.discard(job_id)
    assert result.outcome == Outcome.OUTCOME_ALREADY_DONE
    letter = await desk.letter(job_id)
    assert letter.state == DeadLetter.STATE_DISCARDED
    assert letter.HasField("resolve_time")
    assert letter.job.state == FAILED
    assert await desk.jobs() == 1


async def test_a_parked_job_that_is_discarded_fails_with_its_charge_unknown(desk: Desk) -> None:
    """Its caller is told why, and a call that turns up later changes nothing but the record."""
    job_id = await desk.parked()
    await desk.discard(job_id)
    job = await desk.bench.job(job_id)
    assert (job.state, job.charge) == (FAILED, CHARGE_UNKNOWN)
    assert job.failure.reason == failure_pb2.FAILURE_REASON_UNRESOLVED
    assert [each.state for each in job.attempts] == [Attempt.STATE_WRITTEN_OFF]
    assert await desk.bench.record(job_id)
    assert (await desk.bench.job(job_id)).state == FAILED


@pytest.mark.parametrize("kind", KINDS)
async def test_a_discarded_one_can_still_be_redriven_by_its_id(desk: Desk, kind: str) -> None:
    """As a new job: the discarded one has failed."""
    job_id = await given_up(desk, kind)
    await desk.discard(job_id)
    (result,) = await desk.redrive(job_id, force=True)
    assert result.outcome == Outcome.OUTCOME_DONE
    assert result.redriven_as != job_id


@pytest.mark.parametrize("kind", ["died", "parked"])
async def test_what_was_redriven_is_not_discarded(desk: Desk, kind: str) -> None:
    """It was decided otherwise."""
    job_id = await given_up(desk, kind)
    await desk.redrive(job_id, force=True)
    (result,) = await desk.discard(job_id)
    assert result.outcome == Outcome.OUTCOME_NOT_OPEN


async def test_a_parked_job_that_went_on_by_itself_is_not_open(desk: Desk) -> None:
    """The call turned up: there is nothing to decide."""
    job_id = await desk.parked()
    await desk.bench.record(job_id)
    assert (await desk.letter(job_id)).state == DeadLetter.STATE_RESOLVED
    assert await outcome_of(desk, job_id, force=True) == Outcome.OUTCOME_NOT_OPEN
    (result,) = await desk.discard(job_id)
    assert result.outcome == Outcome.OUTCOME_NOT_OPEN


@pytest.mark.parametrize("kind", KINDS)
async def test_validate_only_changes_nothing(desk: Desk, kind: str) -> None:
    """It says what would become of each."""
    job_id = await given_up(desk, kind)
    before, letter = await desk.bench.job(job_id), await desk.letter(job_id)
    for force in (False, True):
        (result,) = await desk.redrive(job_id, validate_only=True, force=force)
        refused = kind != "died" and not force
        wanted = Outcome.OUTCOME_MAY_PAY_TWICE if refused else Outcome.OUTCOME_DONE
        assert (result.outcome, result.redriven_as) == (wanted, "")
    (result,) = await desk.discard(job_id, validate_only=True)
    assert result.outcome == Outcome.OUTCOME_DONE
    assert (await desk.bench.job(job_id), await desk.letter(job_id)) == (before, letter)
    assert await desk.jobs() == 1


async def test_jobs_that_were_never_given_up_are_not_found(desk: Desk) -> None:
    """Nor are ids that no job has; each is told by itself, in the order asked for."""
    running, _ = await desk.bench.submitted()
    waiting = (await desk.bench.submit()).job_id
    dead = await desk.died()
    asked = [running, *HOSTILE_IDS, dead.upper(), waiting, dead]
    results = await desk.redrive(*asked)
    assert [each.job_id for each in results] == asked
    outcomes = [each.outcome for each in results]
    assert outcomes == [Outcome.OUTCOME_NOT_FOUND] * (len(asked) - 1) + [Outcome.OUTCOME_DONE]
    assert {each.outcome for each in await desk.discard(*HOSTILE_IDS)} == {
        Outcome.OUTCOME_NOT_FOUND
    }
    for hostile in (*HOSTILE_IDS, running):
        with pytest.raises(DeadLetterNotFound):
            await desk.letter(hostile)


@pytest.mark.parametrize(
    ("kind", "charge"), [("died", CHARGE_NO), ("ran", CHARGE_UNKNOWN), ("lost", CHARGE_YES)]
)
async def test_a_dead_letter_says_who_why_how_often_and_what_it_cost(
    desk: Desk, kind: str, charge: int
) -> None:
    """With the whole job, its request included."""
    job_id = await given_up(desk, kind)
    letter = await desk.letter(job_id)
    assert (letter.state, letter.tenant) == (DeadLetter.STATE_DEAD, "default")
    assert (letter.model, letter.attempt_count, letter.charge) == ("owner/model", 1, charge)
    assert letter.failure == letter.job.failure
    assert letter.job.request.prompt == "a red fox"
    assert not letter.HasField("resolve_time")
    assert letter.redriven_as == ""


async def test_a_parked_letter_says_why_before_the_job_has_failed(desk: Desk) -> None:
    """The job's own failure is not there yet."""
    letter = await desk.letter(await desk.parked())
    assert (letter.state, letter.charge) == (DeadLetter.STATE_PARKED, CHARGE_UNKNOWN)
    assert letter.failure.reason == failure_pb2.FAILURE_REASON_UNRESOLVED
    assert not letter.job.HasField("failure")


async def test_what_is_left_when_time_is_short_is_said_to_be_undecided(desk: Desk) -> None:
    """And nothing was done about it."""
    job_ids = [await desk.died() for _ in range(3)]
    results = await desk.redrive(*job_ids, context=Context(0.5))
    assert [each.outcome for each in results] == [Outcome.OUTCOME_UNAVAILABLE] * 3
    assert [each.job_id for each in results] == job_ids
    assert await desk.jobs() == 3


async def test_a_redrive_that_breaks_half_way_leaves_nothing(desk: Desk) -> None:
    """The new job, the old one and the letter change together; and a part that is away is not
    asked about every job."""
    job_ids = [await desk.died() for _ in range(3)]
    await desk.run(BREAKS)
    results = await desk.redrive(*job_ids)
    assert [each.outcome for each in results] == [Outcome.OUTCOME_UNAVAILABLE] * 3
    assert await desk.jobs() == 3
    assert not (await desk.bench.job(job_ids[0])).redriven_as
    await desk.run("DROP TRIGGER breaks ON dead_letters")
    results = await desk.redrive(*job_ids)
    assert [each.outcome for each in results] == [Outcome.OUTCOME_DONE] * 3
    assert await desk.jobs() == 6
