"""The operator's calls of the client over a real connection, against a service in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import grpc
import pytest

import mediagen
from mediagen import Backoff, Client, DeadLetter, DeadLetterResult
from mediagen.v1.attempt_pb2 import CHARGE_YES
from tests.fakes.operating import FakeOperator, parked, served
from tests.fakes.refusing import refusal

FAST = Backoff(first=0.01, longest=0.05)
UNAVAILABLE = refusal(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")

DONE = DeadLetterResult.OUTCOME_DONE
ALREADY_DONE = DeadLetterResult.OUTCOME_ALREADY_DONE
MAY_PAY_TWICE = DeadLetterResult.OUTCOME_MAY_PAY_TWICE
NOT_OPEN = DeadLetterResult.OUTCOME_NOT_OPEN
NOT_FOUND = DeadLetterResult.OUTCOME_NOT_FOUND


@pytest.fixture
def fake() -> FakeOperator:
    return FakeOperator()


@pytest.fixture
async def client(fake: FakeOperator) -> AsyncIterator[Client]:
    with served(fake) as address:
        async with Client(address, backoff=FAST) as opened:
            yield opened


def outcomes(decided: mediagen.Decisions) -> list[int]:
    return [each.outcome for each in decided.results]


async def listed(client: Client, **filters: object) -> list[str]:
    found = client.operator.dead_letters(page_size=2, **filters)  # type: ignore[arg-type]
    return [each.job_id async for each in found]


async def test_statistics_and_syncs_arrive_as_they_were_said(
    client: Client, fake: FakeOperator
) -> None:
    """Durations as seconds or timedelta; each name once."""
    answer = await client.operator.statistics(window=timedelta(minutes=30), steps=6)
    assert len(answer.steps) == 6
    assert fake.asked[-1].window.seconds == 1800
    synced = await client.operator.sync_models(["fake/a", "fake/a", "no/body"])
    assert list(fake.asked[-1].names) == ["fake/a", "no/body"]
    assert list(synced.unknown_names) == ["no/body"]


async def test_dead_letters_are_listed_over_pages(client: Client, fake: FakeOperator) -> None:
    """Newest first, those that nobody has decided about."""
    ids = [fake.give_up() for _ in range(5)]
    fake.give_up(state=DeadLetter.STATE_DISCARDED)
    assert await listed(client) == ids[::-1]
    assert [each.page_token for each in fake.asked] == ["", "2", "4"]


async def test_filters_arrive_as_they_were_said(client: Client, fake: FakeOperator) -> None:
    """Words or values, in any case; every one must hold."""
    fake.give_up()
    wanted = parked(fake, model="a/b", tenant="t", ago=timedelta(days=2))
    day = datetime.now(UTC) - timedelta(days=1)
    filters = {
        "states": ["parked"],
        "tenant": "t",
        "model": "a/b",
        "reasons": ["UNRESOLVED"],
        "charges": ["unknown", CHARGE_YES],
        "create_time_from": day - timedelta(days=3),
        "create_time_before": day,
    }
    assert await listed(client, **filters) == [wanted]
    assert await listed(client, **{**filters, "charges": ["yes"]}) == []
    assert await listed(client, **{**filters, "create_time_from": day}) == []
    for wrong in ({"states": ["lost"]}, {"reasons": ["x"]}, {"model": "\ud800"}):
        with pytest.raises(mediagen.InvalidRequest):
            await listed(client, **wrong)


async def test_one_dead_letter_has_its_job(client: Client, fake: FakeOperator) -> None:
    """And what was never given up is refused by name."""
    job_id = fake.give_up(prompt="a hare")
    assert (await client.operator.dead_letter(job_id)).job.request.prompt == "a hare"
    with pytest.raises(mediagen.DeadLetterNotFound) as caught:
        await client.operator.dead_letter("j1")
    assert caught.value.metadata == {"job_id": "j1"}


async def test_the_overview_is_read_again_while_the_service_is_away(
    client: Client, fake: FakeOperator
) -> None:
    """As every call that is safe to repeat."""
    fake.overview.dead_jobs = 3
    fake.refusals.extend([UNAVAILABLE] * 2)
    assert (await client.operator.overview()).dead_jobs == 3
    assert len(fake.asked) == 3


async def test_a_redrive_decides_about_each_job_by_itself(
    client: Client, fake: FakeOperator
) -> None:
    """In the order asked for, each once."""
    dead, paid, gone = fake.give_up(), fake.give_up(charge=CHARGE_YES), "no-such-job"
    discarded = fake.give_up(state=DeadLetter.STATE_DISCARDED)
    decided = await client.operator.redrive([gone, dead, paid, discarded, dead])
    assert outcomes(decided) == [NOT_FOUND, DONE, MAY_PAY_TWICE, NOT_OPEN]
    again = await client.operator.redrive([dead, paid], force=True)
    assert outcomes(again) == [ALREADY_DONE, DONE]
    assert again.results[0].redriven_as == decided.results[1].redriven_as
    assert fake.redrives == [dead, paid]


async def test_a_job_id_alone_is_one_job(client: Client, fake: FakeOperator) -> None:
    """A string is not a list of letters."""
    job_id = fake.give_up()
    assert outcomes(await client.operator.discard(job_id)) == [DONE]


@pytest.mark.parametrize("verb", ["redrive", "discard"])
async def test_nothing_or_everything_is_never_meant_by_mistake(
    client: Client, fake: FakeOperator, verb: str
) -> None:
    """An empty list of jobs is not "all"; jobs and filters do not go together."""
    fake.give_up()
    decide = getattr(client.operator, verb)
    with pytest.raises(mediagen.InvalidRequest):
        await decide([])
    with pytest.raises(mediagen.InvalidRequest):
        await decide(["j1"], model="a/b")
    assert fake.asked == []


async def test_a_filter_is_followed_to_its_end(client: Client, fake: FakeOperator) -> None:
    """Oldest first, whatever becomes of each: what is refused is not met again and again."""
    ids = [fake.give_up(charge=CHARGE_YES) for _ in range(60)]
    ids += [fake.give_up() for _ in range(70)]
    heard = list[DeadLetterResult]()
    decided = await client.operator.redrive(model="fake/picture", on_results=heard.extend)
    assert [each.job_id for each in decided.results] == ids
    assert outcomes(decided) == [MAY_PAY_TWICE] * 60 + [DONE] * 70
    assert [each.job_id for each in heard] == ids
    assert fake.redrives == ids[60:]
    assert not decided.more


async def test_a_limit_bounds_a_filter_and_more_is_told(client: Client, fake: FakeOperator) -> None:
    """The oldest come first."""
    ids = [fake.give_up() for _ in range(5)]
    decided = await client.operator.discard(states=["dead"], limit=3)
    assert [each.job_id for each in decided.results] == ids[:3]
    assert decided.more
    rest = await client.operator.discard(states=["dead"], limit=3)
    assert ([each.job_id for each in rest.results], rest.more) == (ids[3:], False)


async def test_validate_only_changes_nothing(client: Client, fake: FakeOperator) -> None:
    """By filter and by id."""
    job_id = fake.give_up()
    heard = list[DeadLetterResult]()
    for which in ({"job_ids": [job_id]}, {"states": ["dead"]}):
        decided = await client.operator.redrive(
            **which,  # type: ignore[arg-type]
            validate_only=True,
            on_results=heard.extend,
        )
        assert outcomes(decided) == [DONE]
    assert len(heard) == 2
    assert fake.letters[job_id].state == DeadLetter.STATE_DEAD


async def test_a_lost_answer_is_told_all_the_same(client: Client, fake: FakeOperator) -> None:
    """The call is repeated by ids: it names the new jobs, and makes no second ones."""
    ids = [fake.give_up() for _ in range(3)]
    fake.refusals.append(UNAVAILABLE)  # the search by filter
    fake.answers_lost = 2
    decided = await client.operator.redrive(states=["dead"])
    assert [each.redriven_as for each in decided.results] == [
        fake.letters[each].redriven_as for each in ids
    ]
    assert fake.redrives == ids


async def test_what_was_not_decided_is_asked_again(client: Client, fake: FakeOperator) -> None:
    """Only those; and the answer says so if it does not help."""
    ids = [fake.give_up() for _ in range(3)]
    fake.undecided.update({ids[1]: 2, ids[2]: 99})
    heard = list[DeadLetterResult]()
    decided = await client.operator.redrive(ids, on_results=heard.extend)
    assert outcomes(decided) == [DONE, DONE, DeadLetterResult.OUTCOME_UNAVAILABLE]
    assert [list(each.job_ids) for each in fake.asked] == [ids, ids[1:], ids[1:], ids[2:], ids[2:]]
    assert [each.job_id for each in heard] == ids[:2]


async def test_what_was_decided_before_an_error_is_known(
    client: Client, fake: FakeOperator
) -> None:
    """on_results hears of it."""
    ids = [fake.give_up() for _ in range(60)]
    heard = list[str]()

    def break_the_service(results: Sequence[DeadLetterResult]) -> None:
        heard.extend(each.job_id for each in results)
        fake.refusals.append(refusal(grpc.StatusCode.INTERNAL, "INTERNAL"))

    with pytest.raises(mediagen.ServerFailed):
        await client.operator.redrive(ids, on_results=break_the_service)
    assert heard == ids[:50] == fake.redrives


async def test_a_closed_client_opens_again(client: Client, fake: FakeOperator) -> None:
    """The operator's calls share the client's connection."""
    await client.operator.overview()
    await client.close()
    await asyncio.wait_for(client.operator.overview(), 5)
