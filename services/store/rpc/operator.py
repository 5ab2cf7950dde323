"""OperatorService: what is going on, and what is done about jobs that were given up.

Comes from: a gateway, which has checked the request. Goes on: a job that is made again waits for
the admitter like any other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from mediagen.v1 import attempt_pb2, dead_letter_pb2, failure_pb2, job_pb2
from mediagen.v1 import operator_service_pb2 as pb
from mediagen.v1.operator_service_pb2_grpc import OperatorServiceServicer
from store.adapters.catalogue_writes import CatalogueWrites
from store.adapters.jobs import Change, Jobs
from store.adapters.letter_pages import UNDECIDED, LetterFilter, LetterPages, discard, state_of
from store.adapters.overview import OverviewReader
from store.adapters.projection import timestamp
from store.adapters.statistics import Statistics
from store.adapters.submissions import insert_job, new_job
from store.adapters.wakeups import Wakeups
from store.domain import operating
from store.domain.errors import DeadLetterNotFound, JobNotFound
from store.domain.operating import Outcome
from store.domain.states import LetterState
from store.rpc.deciding import Decide, decide_each, result, undecided
from store.rpc.overview_view import overview_message

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
DEFAULT_TURN, LARGEST_TURN = 100, 500
DEFAULT_STEPS, MOST_STEPS = 60, 288
DEFAULT_WINDOW = timedelta(hours=1)
SHORTEST_WINDOW, LONGEST_WINDOW = timedelta(minutes=5), timedelta(days=30)


class Operator(OperatorServiceServicer):
    """Each method is one use case."""

    def __init__(
        self, jobs: Jobs, wakeups: Wakeups, overview: OverviewReader, models: CatalogueWrites,
        statistics: Statistics,
    ) -> None:  # fmt: skip
        self._jobs = jobs
        self._wakeups = wakeups
        self._overview = overview
        self._models = models
        self._statistics = statistics
        self._letters = LetterPages(jobs.database)

    async def GetOverview(
        self, request: pb.GetOverviewRequest, context: Any
    ) -> pb.GetOverviewResponse:
        """Reads what is going on."""
        return overview_message(await self._overview.read())

    async def GetStatistics(
        self, request: pb.GetStatisticsRequest, context: Any
    ) -> pb.GetStatisticsResponse:
        """Counts how it went."""
        window = request.window.ToTimedelta() if request.HasField("window") else DEFAULT_WINDOW
        window = min(max(window, SHORTEST_WINDOW), LONGEST_WINDOW)
        steps = min(request.steps or DEFAULT_STEPS, MOST_STEPS)
        return await self._statistics.of(window, steps)

    async def SyncModels(
        self, request: pb.SyncModelsRequest, context: Any
    ) -> pb.SyncModelsResponse:
        """Has the provider asked about models."""
        count, now, unknown = await self._models.sync(request.names)
        return pb.SyncModelsResponse(
            models=count, request_time=timestamp(now), unknown_names=unknown
        )

    async def ListDeadLetters(
        self, request: pb.ListDeadLettersRequest, context: Any
    ) -> pb.ListDeadLettersResponse:
        """Reads a page."""
        size = min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE)
        wanted = _filter_of(request.filter)
        letters, token = await self._letters.page(wanted, size, request.page_token)
        return pb.ListDeadLettersResponse(dead_letters=letters, next_page_token=token)

    async def GetDeadLetter(
        self, request: pb.GetDeadLetterRequest, context: Any
    ) -> pb.GetDeadLetterResponse:
        """Reads one with its job."""
        job_id = _known(request.job_id)
        if job_id is None:
            raise DeadLetterNotFound(request.job_id)
        return pb.GetDeadLetterResponse(dead_letter=await self._letters.get(job_id))

    async def RedriveDeadLetters(
        self, request: pb.RedriveDeadLettersRequest, context: Any
    ) -> pb.RedriveDeadLettersResponse:
        """Makes jobs again."""

        async def decide(job_id: str) -> pb.DeadLetterResult:
            return await self._redrive(job_id, request.force, request.validate_only)

        results, token = await self._each("redrive", request, decide, context)
        return pb.RedriveDeadLettersResponse(results=results, next_page_token=token)

    async def DiscardDeadLetters(
        self, request: pb.DiscardDeadLettersRequest, context: Any
    ) -> pb.DiscardDeadLettersResponse:
        """Leaves jobs as they are."""

        async def decide(job_id: str) -> pb.DeadLetterResult:
            return await self._discard(job_id, request.validate_only)

        results, token = await self._each("discard", request, decide, context)
        return pb.DiscardDeadLettersResponse(results=results, next_page_token=token)

    async def _each(
        self,
        purpose: str,
        request: pb.RedriveDeadLettersRequest | pb.DiscardDeadLettersRequest,
        decide: Decide,
        context: Any,
    ) -> tuple[list[pb.DeadLetterResult], str]:
        """The results, and where a filter goes on."""
        if request.job_ids:
            results = await decide_each(request.job_ids, decide, context)
            return [*results, *undecided(request.job_ids[len(results) :])], ""
        most = min(request.limit or DEFAULT_TURN, LARGEST_TURN)
        wanted = _filter_of(request.filter)
        turn = await self._letters.turn(wanted, purpose, most, request.page_token)
        results = await decide_each([str(each.job_id) for each in turn.places], decide, context)
        return results, turn.token_after(len(results))

    async def _redrive(self, text: str, force: bool, validate_only: bool) -> pb.DeadLetterResult:
        job_id = _known(text)
        if job_id is None:
            return result(text, Outcome.NOT_FOUND)
        try:
            async with self._jobs.change("redrive_dead_letter", job_id) as change:
                letter = await state_of(change.connection, job_id)
                if letter is None:
                    return result(text, Outcome.NOT_FOUND)
                outcome = operating.judge_redrive(
                    change.job, letter, force=force, took_secrets=change.took_secrets
                )
                again = ""
                if outcome is Outcome.ALREADY_DONE:
                    again = str(change.job.redriven_as or job_id)
                elif outcome is Outcome.DONE and not validate_only:
                    again = str(await _make_again(change))
        except JobNotFound:
            return result(text, Outcome.NOT_FOUND)
        if outcome is Outcome.DONE and again:
            self._wakeups.admitter.set()
            self._wakeups.changed(change.job.tenant)
        words = "It is made again." if again else "It would be made again."
        return result(text, outcome, words, again)

    async def _discard(self, text: str, validate_only: bool) -> pb.DeadLetterResult:
        job_id = _known(text)
        if job_id is None:
            return result(text, Outcome.NOT_FOUND)
        try:
            async with self._jobs.change("discard_dead_letter", job_id) as change:
                letter = await state_of(change.connection, job_id)
                if letter is None:
                    return result(text, Outcome.NOT_FOUND)
                outcome = operating.judge_discard(change.job, letter)
                if outcome is Outcome.DONE and not validate_only:
                    await _leave(change)
        except JobNotFound:
            return result(text, Outcome.NOT_FOUND)
        words = "It would be left as it is." if validate_only else "It is left as it is."
        return result(text, outcome, words)


async def _make_again(change: Change) -> UUID:
    """The id of the job that makes it again."""
    job = change.job
    if job.parked:
        change.save(operating.redrive_parked(job, change.now))
        return job.job_id
    request = job_pb2.JobRequest.FromString(change.request)
    request.request_id = str(uuid4())
    new = new_job(job.tenant, request, change.now, redrive_of=job.job_id)
    await insert_job(change.connection, new, request)
    change.save(operating.redrive_failed(job, new.job_id))
    return new.job_id


async def _leave(change: Change) -> None:
    if change.job.parked:
        change.save(operating.discard_parked(change.job, change.now))
    else:
        await discard(change.connection, change.job.job_id)
        change.wrote = True


def _known(text: str) -> UUID | None:
    """The id that *text* is, letter for letter: one job has one name in the results."""
    try:
        job_id = UUID(text)
    except ValueError:
        return None
    return job_id if str(job_id) == text else None


def _filter_of(message: dead_letter_pb2.DeadLetterFilter) -> LetterFilter:
    states = dead_letter_pb2.DeadLetter.State
    return LetterFilter(
        states=tuple(
            LetterState(states.Name(each).removeprefix("STATE_")) for each in message.states
        )
        or UNDECIDED,
        tenant=message.tenant,
        model=message.model,
        reasons=tuple(failure_pb2.FailureReason.Name(each) for each in message.reasons),
        charges=tuple(
            attempt_pb2.Charge.Name(each).removeprefix("CHARGE_") for each in message.charges
        ),
        since=_moment(message, "create_time_from"),
        before=_moment(message, "create_time_before"),
    )


def _moment(
    message: dead_letter_pb2.DeadLetterFilter,
    name: Literal["create_time_from", "create_time_before"],
) -> datetime | None:
    if not message.HasField(name):
        return None
    return getattr(message, name).ToDatetime(tzinfo=UTC)  # type: ignore[no-any-return]
