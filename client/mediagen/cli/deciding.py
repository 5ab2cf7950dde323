"""How are dead letters decided about: foreseen, confirmed, carried out, told?"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from mediagen import errors
from mediagen.cli import documents, exits, letter_pages, letter_words, words
from mediagen.cli.exits import Exit
from mediagen.cli.letter_words import Verb
from mediagen.cli.session import Session
from mediagen.operating import Decisions
from mediagen.requests import DeadLetterFilters
from mediagen.v1.operator_service_pb2 import DeadLetterResult

_STILL_OPEN = (DeadLetterResult.OUTCOME_DONE, DeadLetterResult.OUTCOME_UNAVAILABLE)


@dataclass(frozen=True)
class Wish:
    """What was typed: a verb, and jobs or filters."""

    verb: Verb
    job_ids: Sequence[str]
    filters: DeadLetterFilters
    limit: int
    force: bool = False


@dataclass
class _Foreseen:
    decisions: Decisions
    pay_again: set[str] = field(default_factory=set)
    """Those that may have been paid for, and are meant all the same."""

    def open(self) -> list[str]:
        """Those that something would be done about."""
        return [each.job_id for each in self.decisions.results if each.outcome in _STILL_OPEN]


async def decide(session: Session, wish: Wish, *, yes: bool, dry_run: bool) -> Exit:
    """Does what is wished, once it was shown and confirmed, unless *yes*."""
    if yes and not dry_run:
        decided = await _carry_out(session, wish)
        return _tell(session, wish, decided)
    foreseen = await _foresee(session, wish)
    left = foreseen.open()
    if dry_run or not left:
        return _tell(session, wish, foreseen.decisions, _would(wish, foreseen))
    letter_pages.results_table(session.out, foreseen.decisions.results, _would(wish, foreseen))
    if not await _confirmed(session, _question(wish, len(left), len(foreseen.pay_again))):
        session.err.print("Nothing was changed.")
        return Exit.UNDONE
    # These and no others: what was shown is what is done.
    wish = Wish(wish.verb, left, {}, wish.limit, wish.force)
    decided = await _carry_out(session, wish)
    results = {each.job_id: each for each in (*foreseen.decisions.results, *decided.results)}
    return _tell(session, wish, Decisions(tuple(results.values()), foreseen.decisions.more))


async def _foresee(session: Session, wish: Wish) -> _Foreseen:
    foreseen = await _ask(session, wish, force=False, validate_only=True)
    if not wish.force:
        return _Foreseen(foreseen)
    refused = [
        each.job_id
        for each in foreseen.results
        if each.outcome == DeadLetterResult.OUTCOME_MAY_PAY_TWICE
    ]
    if not refused:
        return _Foreseen(foreseen)
    forced = await session.client.operator.redrive(refused, force=True, validate_only=True)
    results = {each.job_id: each for each in (*foreseen.results, *forced.results)}
    return _Foreseen(Decisions(tuple(results.values()), foreseen.more), set(refused))


async def _carry_out(session: Session, wish: Wish) -> Decisions:
    done = list[DeadLetterResult]()
    with _progress(session) as progress:
        line = progress.add_task(wish.verb, total=len(wish.job_ids) or None)

        def arrived(results: Sequence[DeadLetterResult]) -> None:
            done.extend(results)
            progress.advance(line, len(results))

        try:
            return await _ask(
                session, wish, force=wish.force, validate_only=False, on_results=arrived
            )
        except (asyncio.CancelledError, errors.MediagenError):
            progress.stop()
            if done:
                _tell(session, wish, Decisions(tuple(done)))
                session.err.print("Stopped there. Repeating the command does nothing twice.")
            raise


async def _ask(
    session: Session,
    wish: Wish,
    *,
    force: bool,
    validate_only: bool,
    on_results: Callable[[Sequence[DeadLetterResult]], object] | None = None,
) -> Decisions:
    operator = session.client.operator
    if wish.verb == "discard":
        return await operator.discard(
            wish.job_ids,
            validate_only=validate_only,
            limit=wish.limit,
            on_results=on_results,
            **wish.filters,
        )
    return await operator.redrive(
        wish.job_ids,
        force=force,
        validate_only=validate_only,
        limit=wish.limit,
        on_results=on_results,
        **wish.filters,
    )


def _progress(session: Session) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        console=session.err,
        transient=True,
        disable=session.quiet or not session.err.is_terminal,
    )


def _would(wish: Wish, foreseen: _Foreseen) -> Callable[[DeadLetterResult], str]:
    def told(result: DeadLetterResult) -> str:
        pays_again = result.job_id in foreseen.pay_again
        return letter_words.would_become(wish.verb, result, pays_again)

    return told


def _question(wish: Wish, count: int, pay_again: int) -> str:
    jobs = "1 job" if count == 1 else f"{count} jobs"
    doubt = ""
    if pay_again:
        them = "It" if count == 1 else f"{pay_again} of them"
        doubt = f" {them} may have been paid for, and may be paid again."
    return f"{wish.verb.capitalize()} {jobs}?{doubt} [y/N] "


async def _confirmed(session: Session, question: str) -> bool:
    """Whether a person types y. Waits in the loop, so that Ctrl-C works."""
    session.err.print(Text(question), end="")
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin.fileno(), read)
    try:
        return (await typed).strip().lower() in ("y", "yes")
    finally:
        loop.remove_reader(sys.stdin.fileno())


def _tell(
    session: Session,
    wish: Wish,
    decided: Decisions,
    would: Callable[[DeadLetterResult], str] | None = None,
) -> Exit:
    """Prints what became of each, or *would*, and gives the exit code."""
    results = decided.results
    if session.json:
        document = {
            "validate_only": would is not None,
            "results": [documents.of(each) for each in results],
            "more": decided.more,
        }
        print(documents.dump(document))
    elif session.quiet:
        _tell_quietly(session, results)
    elif results:
        told = would or (lambda result: letter_words.became(wish.verb, result))
        letter_pages.results_table(session.out, results, told)
        _tell_in_sum(session, wish, decided, foreseen=would is not None)
    else:
        session.hint("No dead letters.")
    return exits.of_outcomes(results)


def _tell_quietly(session: Session, results: Iterable[DeadLetterResult]) -> None:
    for each in results:
        if each.redriven_as:
            session.out.print(Text(words.plain(each.redriven_as)))


def _tell_in_sum(session: Session, wish: Wish, decided: Decisions, *, foreseen: bool) -> None:
    counted = letter_words.summary(wish.verb, decided.results)
    session.hint(f"It would be: {counted}. Nothing was changed." if foreseen else f"{counted}.")
    outcomes = {each.outcome for each in decided.results}
    if DeadLetterResult.OUTCOME_MAY_PAY_TWICE in outcomes:
        session.hint("What may have been paid for is refused. --force redrives it all the same.")
    if DeadLetterResult.OUTCOME_UNAVAILABLE in outcomes:
        session.hint("What was not decided: repeat the command. Nothing is done twice.")
    if decided.more:
        session.hint("There are more; --limit takes more at once.")
