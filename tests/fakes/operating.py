"""An OperatorService in memory, for tests of what calls it.

A dead letter's charge and state say what becomes of it, as the service promises. `refusals`
refuses the next calls, `undecided` leaves jobs undecided so often, `answers_lost` loses so many
answers to what changed something. It is served by threads, so that a test may run a loop of its
own, or none.
"""

from __future__ import annotations

import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from mediagen.v1 import operator_service_pb2 as messages
from mediagen.v1.attempt_pb2 import CHARGE_NO, CHARGE_UNKNOWN, Attempt, Charge
from mediagen.v1.dead_letter_pb2 import DeadLetter, DeadLetterFilter
from mediagen.v1.failure_pb2 import FAILURE_REASON_PROVIDER_FAILED, FailureReason
from mediagen.v1.job_pb2 import Job
from mediagen.v1.operator_service_pb2 import DeadLetterResult
from mediagen.v1.operator_service_pb2_grpc import (
    OperatorServiceServicer,
    add_OperatorServiceServicer_to_server,
)
from tests.fakes.refusing import refusal

OPEN = (DeadLetter.STATE_PARKED, DeadLetter.STATE_DEAD)


class FakeOperator(OperatorServiceServicer):
    """What the real service promises about dead letters."""

    def __init__(self) -> None:
        self.letters: dict[str, DeadLetter] = {}
        """By job id, the oldest first."""
        self.overview = messages.GetOverviewResponse()
        self.asked: list[Any] = []
        """Every request that arrived."""
        self.refusals: deque[Status] = deque()
        self.undecided: Counter[str] = Counter()
        """How often each of these jobs can not be decided about yet."""
        self.answers_lost = 0
        self.synced: Callable[[], object] = lambda: None
        """What SyncModels does."""
        self.redrives: list[str] = []
        """The jobs that were made again, each time that one was."""

    def give_up(
        self,
        *,
        state: DeadLetter.State.ValueType = DeadLetter.STATE_DEAD,
        reason: FailureReason.ValueType = FAILURE_REASON_PROVIDER_FAILED,
        charge: Charge.ValueType = CHARGE_NO,
        message: str = "The provider failed, four times.",
        model: str = "fake/picture",
        tenant: str = "default",
        prompt: str = "a fox",
        ago: timedelta = timedelta(hours=3),
        attempts: Sequence[Attempt] = (),
    ) -> str:
        """A dead letter more; gives the id of its job."""
        letter = DeadLetter(
            job_id=str(uuid.uuid4()),
            tenant=tenant,
            state=state,
            model=model,
            attempt_count=len(attempts),
            charge=charge,
        )
        letter.failure.reason, letter.failure.message = reason, message
        letter.create_time.FromDatetime(datetime.now(UTC) - ago)
        parked = state == DeadLetter.STATE_PARKED
        job = letter.job
        job.job_id = letter.job_id
        job.attempts.extend(attempts)
        job.state = Job.STATE_RUNNING if parked else Job.STATE_FAILED
        job.request.model, job.request.prompt = model, prompt
        job.create_time.FromDatetime(datetime.now(UTC) - ago - timedelta(minutes=2))
        self.letters[letter.job_id] = letter
        return letter.job_id

    def GetOverview(
        self, request: messages.GetOverviewRequest, context: Any
    ) -> messages.GetOverviewResponse:
        self._arrived(request, context)
        return self.overview

    def GetStatistics(
        self, request: messages.GetStatisticsRequest, context: Any
    ) -> messages.GetStatisticsResponse:
        self._arrived(request, context)
        answer = messages.GetStatisticsResponse(
            steps=[messages.StatisticsStep(submitted=1)] * (request.steps or 60)
        )
        answer.as_of.GetCurrentTime()
        return answer

    def SyncModels(
        self, request: messages.SyncModelsRequest, context: Any
    ) -> messages.SyncModelsResponse:
        """`synced` is what happens then."""
        self._arrived(request, context)
        unknown = [each for each in request.names if not each.startswith("fake/")]
        answer = messages.SyncModelsResponse(models=3, unknown_names=unknown)
        answer.request_time.GetCurrentTime()
        self.synced()
        return answer

    def ListDeadLetters(
        self, request: messages.ListDeadLettersRequest, context: Any
    ) -> messages.ListDeadLettersResponse:
        self._arrived(request, context)
        found = self._matching(request.filter)[::-1]
        start, size = int(request.page_token or 0), min(request.page_size or 50, 200)
        answer = messages.ListDeadLettersResponse()
        for letter in found[start : start + size]:
            answer.dead_letters.add().CopyFrom(letter)
            answer.dead_letters[-1].ClearField("job")
        if len(found) > start + size:
            answer.next_page_token = str(start + size)
        return answer

    def GetDeadLetter(
        self, request: messages.GetDeadLetterRequest, context: Any
    ) -> messages.GetDeadLetterResponse:
        self._arrived(request, context)
        if request.job_id not in self.letters:
            code = grpc.StatusCode.NOT_FOUND
            self._abort(context, refusal(code, "DEAD_LETTER_NOT_FOUND", job_id=request.job_id))
        return messages.GetDeadLetterResponse(dead_letter=self.letters[request.job_id])

    def RedriveDeadLetters(
        self, request: messages.RedriveDeadLettersRequest, context: Any
    ) -> messages.RedriveDeadLettersResponse:
        self._arrived(request, context)
        ids, token = self._page(request)
        results = [self._decide(each, request, DeadLetter.STATE_REDRIVEN) for each in ids]
        self._lose_answer(request, context)
        return messages.RedriveDeadLettersResponse(results=results, next_page_token=token)

    def DiscardDeadLetters(
        self, request: messages.DiscardDeadLettersRequest, context: Any
    ) -> messages.DiscardDeadLettersResponse:
        self._arrived(request, context)
        ids, token = self._page(request)
        results = [self._decide(each, request, DeadLetter.STATE_DISCARDED) for each in ids]
        self._lose_answer(request, context)
        return messages.DiscardDeadLettersResponse(results=results, next_page_token=token)

    def _page(self, request: Any) -> tuple[list[str], str]:
        """The jobs of one request, and how to go on behind them."""
        assert bool(request.job_ids) != request.HasField("filter")
        if request.job_ids:
            assert len(set(request.job_ids)) == len(request.job_ids) <= 500
            return list(request.job_ids), ""
        assert request.filter.ByteSize()
        order = list(self.letters)
        start = order.index(request.page_token) + 1 if request.page_token else 0
        ids = [each.job_id for each in self._matching(request.filter)]
        left = [each for each in ids if order.index(each) >= start]
        page = left[: request.limit or 100]
        return page, page[-1] if len(left) > len(page) else ""

    def _decide(
        self, job_id: str, request: Any, wanted: DeadLetter.State.ValueType
    ) -> DeadLetterResult:
        letter = self.letters.get(job_id)
        if letter is None:
            return DeadLetterResult(job_id=job_id, outcome=DeadLetterResult.OUTCOME_NOT_FOUND)
        result = DeadLetterResult(job_id=job_id, redriven_as=letter.redriven_as)
        if self.undecided[job_id]:
            self.undecided[job_id] -= 1
            result.outcome = DeadLetterResult.OUTCOME_UNAVAILABLE
        elif letter.state == wanted:
            result.outcome = DeadLetterResult.OUTCOME_ALREADY_DONE
        elif letter.state not in OPEN:
            result.outcome = DeadLetterResult.OUTCOME_NOT_OPEN
            result.message = f"It is {DeadLetter.State.Name(letter.state)[6:].lower()}."
        elif self._may_pay_twice(letter, request, wanted):
            result.outcome = DeadLetterResult.OUTCOME_MAY_PAY_TWICE
        else:
            result.outcome = DeadLetterResult.OUTCOME_DONE
            if not request.validate_only:
                result.redriven_as = self._do(letter, wanted)
        return result

    @staticmethod
    def _may_pay_twice(
        letter: DeadLetter, request: Any, wanted: DeadLetter.State.ValueType
    ) -> bool:
        redrive = wanted == DeadLetter.STATE_REDRIVEN
        return redrive and letter.charge != CHARGE_NO and not request.force

    def _do(self, letter: DeadLetter, wanted: DeadLetter.State.ValueType) -> str:
        parked = letter.state == DeadLetter.STATE_PARKED
        letter.state = wanted
        letter.resolve_time.GetCurrentTime()
        if wanted == DeadLetter.STATE_REDRIVEN:
            self.redrives.append(letter.job_id)
            letter.redriven_as = letter.job_id if parked else str(uuid.uuid4())
        return letter.redriven_as

    def _matching(self, wanted: DeadLetterFilter) -> list[DeadLetter]:
        return [
            each
            for each in self.letters.values()
            if each.state in (wanted.states or OPEN)
            and each.tenant == (wanted.tenant or each.tenant)
            and each.model == (wanted.model or each.model)
            and each.failure.reason in (wanted.reasons or [each.failure.reason])
            and each.charge in (wanted.charges or [each.charge])
            and _time(wanted, "create_time_from", datetime.min) <= _time(each, "create_time")
            and _time(each, "create_time") < _time(wanted, "create_time_before", datetime.max)
        ]

    def _arrived(self, request: Any, context: Any) -> None:
        self.asked.append(request)
        if self.refusals:
            self._abort(context, self.refusals.popleft())

    def _lose_answer(self, request: Any, context: Any) -> None:
        if self.answers_lost and not request.validate_only:
            self.answers_lost -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")

    @staticmethod
    def _abort(context: Any, status: Status) -> None:
        context.abort_with_status(rpc_status.to_status(status))


def _time(message: Any, name: str, otherwise: datetime = datetime.min) -> datetime:
    time: datetime = getattr(message, name).ToDatetime() if message.HasField(name) else otherwise
    return time


def parked(fake: FakeOperator, **changes: Any) -> str:
    """A job more whose paid call can not be found; gives its id."""
    return fake.give_up(
        **{
            "state": DeadLetter.STATE_PARKED,
            "reason": FailureReason.FAILURE_REASON_UNRESOLVED,
            "charge": CHARGE_UNKNOWN,
            "message": "The outcome of a paid call could not be found out.",
            **changes,
        }
    )


@contextmanager
def served(fake: FakeOperator) -> Iterator[str]:
    """Serves *fake* on loopback; gives its address."""
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    add_OperatorServiceServicer_to_server(fake, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()
