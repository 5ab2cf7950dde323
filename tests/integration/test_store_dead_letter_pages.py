"""Which dead letters an operator sees, page by page, and how many are decided about at once."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from mediagen.v1 import failure_pb2
from mediagen.v1 import operator_service_pb2 as pb
from mediagen.v1.attempt_pb2 import CHARGE_NO, CHARGE_UNKNOWN, CHARGE_YES
from mediagen.v1.dead_letter_pb2 import DeadLetter, DeadLetterFilter
from store.domain.errors import PageTokenInvalid

from .operator_bench import Context, Desk, Outcome, desk_at

EVERY_STATE = [
    DeadLetter.STATE_PARKED, DeadLetter.STATE_DEAD, DeadLetter.STATE_REDRIVEN,
    DeadLetter.STATE_DISCARDED, DeadLetter.STATE_RESOLVED,
]  # fmt: skip


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    async with desk_at(database_url) as made:
        yield made


async def pages(desk: Desk, size: int, **filters: Any) -> list[list[str]]:
    """The ids, page by page."""
    wanted = pb.ListDeadLettersRequest(page_size=size, filter=DeadLetterFilter(**filters))
    found = []
    while True:
        page = await desk.operator.ListDeadLetters(wanted, Context())
        found.append([each.job_id for each in page.dead_letters])
        wanted.page_token = page.next_page_token
        if not wanted.page_token:
            return found


async def redriven(
    desk: Desk, limit: int, *, seconds: float | None = None, **more: Any
) -> list[list[pb.DeadLetterResult]]:
    """The results, call by call, until there is no token."""
    wanted = pb.RedriveDeadLettersRequest(limit=limit, **more)
    found = []
    for _ in range(20):
        page = await desk.operator.RedriveDeadLetters(wanted, Context(seconds))
        found.append(list(page.results))
        wanted.page_token = page.next_page_token
        if not wanted.page_token:
            return found
    raise AssertionError("it does not come to an end")


async def test_pages_are_newest_first_and_show_each_once(desk: Desk) -> None:
    """Also those of one instant; and a token is of its filter alone."""
    made = [await desk.died() for _ in range(5)]
    assert await pages(desk, 2) == [made[4:2:-1], made[2:0:-1], made[:1]]
    await desk.same_instant(*made)
    shown = await pages(desk, 2)
    assert [len(page) for page in shown] == [2, 2, 1]
    assert sorted(chain.from_iterable(shown)) == sorted(made)
    first = await desk.operator.ListDeadLetters(pb.ListDeadLettersRequest(page_size=2), Context())
    other = DeadLetterFilter(tenant="default")
    with pytest.raises(PageTokenInvalid):
        await desk.operator.ListDeadLetters(
            pb.ListDeadLettersRequest(filter=other, page_token=first.next_page_token), Context()
        )


async def test_every_part_of_a_filter_must_hold(desk: Desk) -> None:
    """Tenant, model, reason, charge, state and time; a filter that says nothing is of what nobody
    has decided about. The wildcards of SQL are letters, and every tenant is seen."""
    theirs = await desk.submit_for("100%_theirs")
    died, ran, lost, parked = [
        await make() for make in (desk.died, desk.ran, desk.lost, desk.parked)
    ]
    gone = await desk.died()
    await desk.discard(gone)
    again = await desk.died()
    await desk.redrive(again)
    assert await desk.listed() == [parked, lost, ran, died, theirs]
    assert await desk.listed(states=EVERY_STATE) == [again, gone, parked, lost, ran, died, theirs]
    assert await desk.listed(states=[DeadLetter.STATE_DISCARDED]) == [gone]
    assert await desk.listed(states=[DeadLetter.STATE_REDRIVEN]) == [again]
    assert await desk.listed(states=[DeadLetter.STATE_PARKED]) == [parked]
    assert await desk.listed(tenant="100%_theirs") == [theirs]
    assert await desk.listed(charges=[CHARGE_YES]) == [lost]
    assert await desk.listed(charges=[CHARGE_NO, CHARGE_YES]) == [lost, died, theirs]
    assert await desk.listed(charges=[CHARGE_UNKNOWN], tenant="default") == [parked, ran]
    assert await desk.listed(reasons=[failure_pb2.FAILURE_REASON_OUTPUT_LOST]) == [lost]
    assert await desk.listed(reasons=[failure_pb2.FAILURE_REASON_UNRESOLVED]) == [parked]
    assert len(await desk.listed(model="owner/model")) == 5
    for pattern in ("%", "owner/%", "owner_model", "' OR true --", "OWNER/MODEL"):
        assert await desk.listed(model=pattern) == []
        assert await desk.listed(tenant=pattern) == []
    time = (await desk.letter(lost)).create_time
    assert await desk.listed(create_time_from=time) == [parked, lost]
    assert await desk.listed(create_time_before=time) == [ran, died, theirs]


async def test_redriving_by_filter_goes_on_to_the_end_and_past_what_is_refused(desk: Desk) -> None:
    """Oldest first, each looked at once: refused ones stay, and are not met again."""
    made = []
    for _ in range(2):
        made += [await desk.ran(), await desk.died(), await desk.parked()]
    calls = await redriven(desk, 2, filter=DeadLetterFilter(tenant="default"))
    assert [len(each) for each in calls] == [2, 2, 2]
    results = list(chain.from_iterable(calls))
    assert [each.job_id for each in results] == made
    refused, done = Outcome.OUTCOME_MAY_PAY_TWICE, Outcome.OUTCOME_DONE
    assert [each.outcome for each in results] == [refused, done, refused] * 2
    free = DeadLetterFilter(charges=[CHARGE_NO])
    assert await redriven(desk, 2, filter=free) == [[]]


async def test_what_is_parked_again_meanwhile_is_not_redriven_twice(desk: Desk) -> None:
    """A loop that pays for each at most once ends."""
    made = [await desk.parked() for _ in range(2)]
    wanted = pb.RedriveDeadLettersRequest(
        filter=DeadLetterFilter(states=[DeadLetter.STATE_PARKED]), force=True, limit=1
    )
    first = await desk.operator.RedriveDeadLetters(wanted, Context())
    assert [each.job_id for each in first.results] == made[:1]
    claimed = await desk.bench.claim(made[0])
    await desk.bench.begin(made[0], claimed.lease_epoch)
    await desk.park(made[0])
    wanted.page_token = first.next_page_token
    second = await desk.operator.RedriveDeadLetters(wanted, Context())
    assert [each.job_id for each in second.results] == made[1:]
    assert second.next_page_token == ""
    assert await desk.listed() == made[:1]


async def test_a_call_with_little_time_left_says_where_to_go_on(desk: Desk) -> None:
    """Nothing is decided, nothing is skipped."""
    made = [await desk.died() for _ in range(2)]
    wanted = pb.DiscardDeadLettersRequest(filter=DeadLetterFilter(tenant="default"))
    hurried = await desk.operator.DiscardDeadLetters(wanted, Context(0.5))
    assert not hurried.results
    assert hurried.next_page_token
    wanted.page_token = hurried.next_page_token
    rest = await desk.operator.DiscardDeadLetters(wanted, Context())
    assert [each.job_id for each in rest.results] == made
    assert {each.outcome for each in rest.results} == {Outcome.OUTCOME_DONE}
    assert rest.next_page_token == ""


async def test_discarded_ones_are_redriven_only_where_they_are_named(desk: Desk) -> None:
    """By their state; a filter that names none leaves them alone."""
    job_id = await desk.died()
    await desk.discard(job_id)
    assert await redriven(desk, 5, filter=DeadLetterFilter(tenant="default")) == [[]]
    named = DeadLetterFilter(states=[DeadLetter.STATE_DISCARDED])
    ((result,),) = await redriven(desk, 5, filter=named, validate_only=True)
    assert (result.job_id, result.outcome) == (job_id, Outcome.OUTCOME_DONE)


async def test_hostile_tokens_are_refused(desk: Desk) -> None:
    """Whatever was made up, and a token of one purpose for another."""
    for _ in range(2):
        await desk.died()
    listed = await desk.operator.ListDeadLetters(pb.ListDeadLettersRequest(page_size=1), Context())
    mark = json.loads(base64.urlsafe_b64decode(listed.next_page_token + "=="))[0]
    long_ago = datetime(1, 1, 1, tzinfo=UTC) + timedelta(days=1)
    zero = "0" * 32
    words = [
        "", "null", "[]", "{}", json.dumps([mark, "soon", zero, None]), "[" * 100_000,
        json.dumps([mark, "0001-01-01T00:00:00+14:00", zero, None]),
        json.dumps([mark, "9999-12-31T23:59:59-14:00", zero, None]),
        json.dumps([mark, long_ago.isoformat(), 7, None]),
        json.dumps([mark, long_ago.replace(tzinfo=None).isoformat(), zero, None]),
    ]  # fmt: skip
    tokens = [base64.urlsafe_b64encode(each.encode()).decode() for each in words if each]
    for token in [*tokens, "%", "é", "\x00", "a" * 1024]:
        wanted = pb.ListDeadLettersRequest(page_token=token)
        with pytest.raises(PageTokenInvalid):
            await desk.operator.ListDeadLetters(wanted, Context())
    filter_ = DeadLetterFilter(tenant="default")
    hurried = await desk.operator.DiscardDeadLetters(
        pb.DiscardDeadLettersRequest(filter=filter_), Context(0.5)
    )
    with pytest.raises(PageTokenInvalid):
        await desk.operator.RedriveDeadLetters(
            pb.RedriveDeadLettersRequest(filter=filter_, page_token=hurried.next_page_token),
            Context(),
        )
