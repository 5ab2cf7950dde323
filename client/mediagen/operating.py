"""What do the people who run the service see, and what can they decide?

    async for letter in client.operator.dead_letters(model="stability-ai/sdxl"):
        print(letter.job_id, letter.failure.message)
    decided = await client.operator.redrive(model="stability-ai/sdxl", charges=["no"])

Every call may be repeated: what was decided before is only told again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack, cast

from mediagen import requests
from mediagen.connection import Connection
from mediagen.errors import InvalidRequest, Violation
from mediagen.requests import DeadLetterFilters
from mediagen.v1 import operator_service_pb2 as messages
from mediagen.v1.dead_letter_pb2 import DeadLetter, DeadLetterFilter
from mediagen.v1.operator_service_pb2 import (
    DeadLetterResult,
    GetOverviewResponse,
    GetStatisticsResponse,
    SyncModelsResponse,
)
from mediagen.v1.operator_service_pb2_grpc import OperatorServiceStub

if TYPE_CHECKING:
    from mediagen.v1.operator_service_pb2_grpc import OperatorServiceAsyncStub

OnResults = Callable[[Sequence[DeadLetterResult]], object]
_Answer = messages.RedriveDeadLettersResponse | messages.DiscardDeadLettersResponse

_LARGEST_PAGE = 200
# Each job is a transaction of its own: so many are decided well within their time.
_JOBS_A_CALL = 50
_CALL_SECONDS = 60.0


@dataclass(frozen=True)
class Decisions:
    """What became of the jobs that were decided about."""

    results: tuple[DeadLetterResult, ...]
    """One for each job, in the order asked for or, by filter, oldest first."""
    more: bool = False
    """The filters mean more jobs than the limit; these are the oldest of them."""


class Operator:
    """The calls of the operator service. `Client.operator` is one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def overview(self) -> GetOverviewResponse:
        """What is going on: jobs, workers, the provider's account and its rate."""
        request = messages.GetOverviewRequest()
        answer: GetOverviewResponse = await self._connection.call(self._stub.GetOverview, request)
        return answer

    async def statistics(
        self, *, window: requests.Seconds | None = None, steps: int = 0
    ) -> GetStatisticsResponse:
        """How it went in the last while, step by step.

        window: how far to look back, 5 minutes to 30 days; one hour if None. steps: into how many
        it is parted, at most 288; 60 if 0.
        """
        request = requests.statistics_request(window, steps)
        answer: GetStatisticsResponse = await self._connection.call(
            self._stub.GetStatistics, request
        )
        return answer

    async def sync_models(self, names: Iterable[str] = ()) -> SyncModelsResponse:
        """Has the provider asked about these models, or all, again. A worker does it in a while:
        a model whose sync_time is later than the answer's request_time has been."""
        request = requests.sync_request(names)
        answer: SyncModelsResponse = await self._connection.call(self._stub.SyncModels, request)
        return answer

    async def dead_letters(
        self, *, page_size: int = 50, **filters: Unpack[DeadLetterFilters]
    ) -> AsyncGenerator[DeadLetter, None]:
        """All dead letters for which all filters hold, newest first, fetched page by page.

        Without states, those that nobody has decided about: parked and dead.
        """
        wanted = requests.dead_letter_filter(filters)
        token = ""
        while True:
            request = messages.ListDeadLettersRequest(
                filter=wanted, page_size=page_size, page_token=token
            )
            page: messages.ListDeadLettersResponse = await self._connection.call(
                self._stub.ListDeadLetters, request
            )
            for letter in page.dead_letters:
                yield letter
            token = page.next_page_token
            if not token:
                return

    async def dead_letter(self, job_id: str) -> DeadLetter:
        """One dead letter with its whole job. Raises DeadLetterNotFound."""
        request = messages.GetDeadLetterRequest(job_id=job_id)
        answer: messages.GetDeadLetterResponse = await self._connection.call(
            self._stub.GetDeadLetter, request
        )
        return answer.dead_letter

    async def redrive(
        self,
        job_ids: Iterable[str] = (),
        *,
        force: bool = False,
        validate_only: bool = False,
        limit: int = 1000,
        on_results: OnResults | None = None,
        **filters: Unpack[DeadLetterFilters],
    ) -> Decisions:
        """Lets jobs be made again: these, or those for which all filters hold, oldest first.

        A failed job stays as it is, and `redriven_as` names the new one; a parked job goes on
        itself. force: also those whose earlier calls may have been paid for, which are refused
        else. validate_only: only say what would become of each. limit: the most jobs that filters
        may mean. on_results is called as results come, some at a time: what it was given is decided
        even if an error is raised later.

        Raises InvalidRequest where neither jobs nor filters are given, or both.
        """

        async def ask(**which: Any) -> messages.RedriveDeadLettersResponse:
            request = messages.RedriveDeadLettersRequest(force=force, **which)
            answer: messages.RedriveDeadLettersResponse = await self._connection.call(
                self._stub.RedriveDeadLetters, request, shortest_timeout=_CALL_SECONDS
            )
            return answer

        decision = _Decision(ask, validate_only, on_results or _ignore)
        return await self._decide(decision, job_ids, filters, limit)

    async def discard(
        self,
        job_ids: Iterable[str] = (),
        *,
        validate_only: bool = False,
        limit: int = 1000,
        on_results: OnResults | None = None,
        **filters: Unpack[DeadLetterFilters],
    ) -> Decisions:
        """Decides that nothing is to be done about these jobs. The rest is as in `redrive`.

        A parked job fails at once, its charge unknown.
        """

        async def ask(**which: Any) -> messages.DiscardDeadLettersResponse:
            request = messages.DiscardDeadLettersRequest(**which)
            answer: messages.DiscardDeadLettersResponse = await self._connection.call(
                self._stub.DiscardDeadLetters, request, shortest_timeout=_CALL_SECONDS
            )
            return answer

        decision = _Decision(ask, validate_only, on_results or _ignore)
        return await self._decide(decision, job_ids, filters, limit)

    async def _decide(
        self,
        decision: _Decision,
        job_ids: Iterable[str],
        filters: DeadLetterFilters,
        limit: int,
    ) -> Decisions:
        ids, wanted = requests.decided_ids(job_ids), requests.dead_letter_filter(filters)
        if bool(ids) == bool(wanted.ByteSize()):
            wrong = "give either job_ids or filters" + (", not both" if ids else "")
            violations = [Violation("", wrong, "ids_or_filter")]
            raise InvalidRequest("The request can not be sent.", violations=violations)
        if ids:
            return Decisions(await self._decided(decision, ids))
        foreseen = await _foreseen(decision, wanted, limit)
        if decision.validate_only:
            decision.on_results(foreseen.results)
            return foreseen
        # By their ids from here: if an answer is lost, asking again tells what was done.
        ids = [each.job_id for each in foreseen.results]
        return Decisions(await self._decided(decision, ids), foreseen.more)

    async def _decided(
        self, decision: _Decision, ids: Sequence[str]
    ) -> tuple[DeadLetterResult, ...]:
        results = {each: DeadLetterResult(job_id=each) for each in ids}
        for start in range(0, len(ids), _JOBS_A_CALL):
            left = list(ids[start : start + _JOBS_A_CALL])
            for tried in range(1, self._connection.retries + 2):
                answer = await decision.ask(job_ids=left, validate_only=decision.validate_only)
                results |= {each.job_id: each for each in answer.results}
                decision.on_results([each for each in answer.results if not _undecided(each)])
                left = [each.job_id for each in answer.results if _undecided(each)]
                if not left:
                    break
                if tried <= self._connection.retries:
                    await asyncio.sleep(self._connection.backoff.delay(tried))
        return tuple(results.values())

    @property
    def _stub(self) -> OperatorServiceAsyncStub:
        return cast("OperatorServiceAsyncStub", OperatorServiceStub(self._connection.channel))


@dataclass(frozen=True)
class _Decision:
    """What is to be decided about dead letters."""

    ask: Callable[..., Awaitable[_Answer]]
    validate_only: bool
    on_results: OnResults


async def _foreseen(decision: _Decision, wanted: DeadLetterFilter, limit: int) -> Decisions:
    """What would become of those that a filter means."""
    found = list[DeadLetterResult]()
    token = ""
    while len(found) < limit:
        most = min(_JOBS_A_CALL, limit - len(found))
        answer = await decision.ask(filter=wanted, limit=most, page_token=token, validate_only=True)
        found += answer.results
        token = answer.next_page_token
        if not token:
            break
    return Decisions(tuple(found), bool(token))


def _undecided(result: DeadLetterResult) -> bool:
    return result.outcome == DeadLetterResult.OUTCOME_UNAVAILABLE


def _ignore(_: Sequence[DeadLetterResult]) -> None:
    """For callers who wait for the end."""
