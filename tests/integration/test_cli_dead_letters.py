"""The operator's commands as a person or a script has them, against a service in memory."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from typer.testing import CliRunner, Result

from mediagen.cli.app import app
from mediagen.v1 import attempt_pb2 as attempt
from mediagen.v1.attempt_pb2 import CHARGE_NO, CHARGE_UNKNOWN, CHARGE_YES, Attempt
from mediagen.v1.dead_letter_pb2 import DeadLetter
from mediagen.v1.failure_pb2 import FAILURE_REASON_DEADLINE
from tests.fakes.operating import FakeOperator, parked, served
from tests.fakes.refusing import refusal
from tests.integration.terminal import Terminal

HOSTILE = "\x1b]0;owned\x07\x1b[2J[bold]x[/bold]\u202egnp"


@pytest.fixture
def fake() -> FakeOperator:
    return FakeOperator()


@pytest.fixture
def server(fake: FakeOperator) -> Iterator[str]:
    with served(fake) as address:
        yield address


@pytest.fixture(autouse=True)
def _usual_server(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("MEDIAGEN_SERVER", server)
    monkeypatch.delenv("MEDIAGEN_API_KEY", raising=False)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened = list[Terminal]()
    yield opened
    for each in opened:
        each.close()


def mediagen(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), prog_name="mediagen")


def dead(*arguments: str) -> Result:
    return mediagen("dead", *arguments)


def documents(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def words_of(text: str) -> str:
    """The text without the line ends and gaps of a table."""
    return " ".join(text.split())


def test_a_list_says_who_why_how_often_and_what_may_be_paid(fake: FakeOperator) -> None:
    """One line each, newest first, the id whole."""
    first = fake.give_up(attempts=[Attempt(number=1)], tenant="acme")
    second = parked(fake, ago=timedelta(minutes=5), attempts=[Attempt(), Attempt()])
    done = dead("list")
    assert done.exit_code == 0, done.output
    title, *lines = [line.split() for line in done.stdout.splitlines()]
    assert title == ["job", "state", "why", "calls", "paid", "age", "tenant", "model"]
    assert lines == [
        [second, "parked", "unresolved", "2", "unknown", "5m", "default", "fake/picture"],
        [first, "dead", "provider", "failed", "1", "no", "3h", "acme", "fake/picture"],
    ]


def test_a_list_can_be_narrowed(fake: FakeOperator) -> None:
    """Every filter, and all of them together."""
    fake.give_up(ago=timedelta(minutes=1))
    wanted = fake.give_up(
        state=DeadLetter.STATE_DISCARDED,
        reason=FAILURE_REASON_DEADLINE,
        charge=CHARGE_YES,
        model="a/b",
        tenant="acme",
        ago=timedelta(hours=5),
    )
    narrow = ["--reason", "deadline", "--model", "a/b", "--tenant", "acme", "--charge", "yes"]
    narrow += ["--older", "2h", "--newer", "1d", "--state", "dead", "--state", "discarded"]
    assert dead("list", "-q", *narrow).stdout.split() == [wanted]
    for other in (["--tenant", "x"], ["--charge", "no", "--older", "1h"], ["--newer", "10m"]):
        assert wanted not in dead("list", "-q", "--state", "discarded", *other).stdout
    assert dead("list", "--older", "1d").stderr.strip() == "No dead letters."


def test_reasons_are_taken_as_a_table_shows_them(fake: FakeOperator) -> None:
    """With a space or a dash; another word is refused with all that there are."""
    job_id = fake.give_up()
    for spelled in ("provider failed", "provider-failed", "PROVIDER_FAILED"):
        assert dead("list", "-q", "--reason", spelled).stdout.split() == [job_id]
    refused = dead("list", "--reason", "bad luck")
    assert refused.exit_code == 2
    assert "provider-failed" in refused.stderr


def test_a_list_as_json_is_one_letter_a_line(fake: FakeOperator) -> None:
    """Whole, with the names of the contract; --limit says when there are more."""
    ids = [fake.give_up() for _ in range(3)]
    found = documents(dead("list", "--json", "-n", "2"))
    assert [each["job_id"] for each in found] == ids[:0:-1]
    assert found[0]["failure"]["reason"] == "FAILURE_REASON_PROVIDER_FAILED"
    assert found[0]["charge"] == "CHARGE_NO"
    assert "Only the newest 2" in dead("list", "-n", "2").stderr
    assert len(documents(dead("list", "--json", "--all"))) == 3


def lost_call() -> Attempt:
    call = Attempt(
        number=2,
        state=Attempt.STATE_UNRESOLVED,
        charge=CHARGE_UNKNOWN,
        charge_reason=attempt.CHARGE_REASON_OUTCOME_UNKNOWN,
    )
    call.failure.message = "The answer was lost."
    return call


def test_one_page_shows_everything(fake: FakeOperator) -> None:
    """Why, each call with its charge and the reason for it, and what a redrive would do."""
    ended = Attempt(
        number=1,
        state=Attempt.STATE_FAILED,
        charge=CHARGE_NO,
        charge_reason=attempt.CHARGE_REASON_NEVER_RAN,
        prediction_id="p-1",
        predict_seconds=0,
        provider_metrics={"predict_time": 0.0, "image_count": 1},
    )
    job_id = parked(fake, attempts=[ended, lost_call()], prompt="a hare", tenant="acme")
    done = dead("show", job_id)
    assert done.exit_code == 0, done.output
    for told in (
        f"job {job_id}",
        "parked the outcome of a paid call can not be found out",
        "tenant acme",
        "prompt a hare",
        "why unresolved The outcome of a paid call could not be found out.",
        "attempt 1 failed charged: no; it ended before the model ran prediction p-1",
        "ran 0.0 s, image count 1",
        "attempt 2 unresolved charged: unknown: it may be billed; its outcome could not be found",
        "The answer was lost.",
        "paid unknown: attempt 2",
        "redrive would refused: it may have been paid for. With --force the job goes on itself",
    ):
        assert told in words_of(done.stdout), told
    [document] = documents(dead("show", job_id, "--json"))
    assert document["dead_letter"]["job"]["attempts"][0]["prediction_id"] == "p-1"
    assert document["redrive"]["outcome"] == "OUTCOME_MAY_PAY_TWICE"
    assert fake.redrives == []


def test_a_job_that_was_never_given_up_is_not_found() -> None:
    """Exit code 3, the reason in --json."""
    assert dead("show", "j1").exit_code == 3
    refused = dead("show", "j1", "--json")
    assert json.loads(refused.stderr)["error"]["reason"] == "DEAD_LETTER_NOT_FOUND"


def test_a_redrive_by_id_names_the_new_jobs(fake: FakeOperator) -> None:
    """Again changes nothing and names the same ones; exit code 0 both times."""
    failed, lost = fake.give_up(), parked(fake)
    done = dead("redrive", failed, lost, "--yes", "--force")
    assert done.exit_code == 0, done.output
    anew = fake.letters[failed].redriven_as
    assert f"{failed} redriven as {anew}" in words_of(done.stdout)
    assert f"{lost} redriven: it goes on itself" in words_of(done.stdout)
    assert "2 redriven." in done.stderr
    again = dead("redrive", failed, lost, "--yes", "-q")
    assert (again.exit_code, again.stdout.split()) == (0, [anew, lost])
    assert fake.redrives == [failed, lost]


def test_what_may_be_paid_twice_is_refused_unless_forced(fake: FakeOperator) -> None:
    """Exit code 7, for one of many too; the others are done."""
    free, paid = fake.give_up(), fake.give_up(charge=CHARGE_YES)
    done = dead("redrive", free, paid, "no-such-job", "--yes")
    assert done.exit_code == 7
    assert f"{paid} refused: it may have been paid for" in words_of(done.stdout)
    assert "no-such-job not found" in words_of(done.stdout)
    assert "1 redriven, 1 refused, 1 not found" in done.stderr
    assert "--force" in done.stderr
    assert fake.redrives == [free]
    assert dead("redrive", paid, "--yes", "--force").exit_code == 0
    assert fake.redrives == [free, paid]


def test_a_redrive_by_filter_takes_what_it_means(fake: FakeOperator) -> None:
    """And nothing else; --limit bounds it, and says that there are more."""
    ids = [fake.give_up(model="a/b") for _ in range(3)]
    other = fake.give_up()
    done = dead("redrive", "--model", "a/b", "--charge", "no", "--yes", "--limit", "2")
    assert done.exit_code == 0, done.output
    assert fake.redrives == ids[:2]
    assert "There are more" in done.stderr
    [document] = documents(dead("redrive", "--model", "a/b", "--yes", "--json"))
    assert [each["job_id"] for each in document["results"]] == ids[2:]
    assert document["results"][0]["redriven_as"] == fake.letters[ids[2]].redriven_as
    assert fake.letters[other].state == DeadLetter.STATE_DEAD
    assert dead("redrive", "--model", "a/b", "--yes").stderr.strip() == "No dead letters."


@pytest.mark.parametrize("verb", ["redrive", "discard"])
def test_a_dry_run_changes_nothing(fake: FakeOperator, verb: str) -> None:
    """It shows what would become of each, with the exit code that it would have."""
    free, resolved = fake.give_up(), fake.give_up(state=DeadLetter.STATE_RESOLVED)
    before = {key: letter.SerializeToString() for key, letter in fake.letters.items()}
    done = dead(verb, free, resolved, "--dry-run")
    assert done.exit_code == 7
    assert f"{free} would be {verb.removesuffix('e')}" in words_of(done.stdout)
    assert f"{resolved} refused: It is resolved." in words_of(done.stdout)
    assert "Nothing was changed" in done.stderr
    [document] = documents(dead(verb, "--state", "dead", "--dry-run", "--json"))
    assert document["validate_only"] is True
    assert {key: letter.SerializeToString() for key, letter in fake.letters.items()} == before


def test_a_forced_dry_run_says_what_is_paid_again(fake: FakeOperator) -> None:
    """Only of what may have been paid."""
    free, paid = fake.give_up(), parked(fake)
    done = words_of(dead("redrive", "--model", "fake/picture", "--force", "--dry-run").stdout)
    assert f"{free} would be redriven {paid} would be redriven, and paid again if it was" in done
    assert fake.redrives == []


def test_a_discard_decides_that_nothing_is_done(fake: FakeOperator) -> None:
    """It may be repeated; what was redriven is refused."""
    lost, redriven = parked(fake), fake.give_up()
    dead("redrive", redriven, "--yes")
    assert dead("discard", lost, "--yes").exit_code == 0
    done = dead("discard", lost, redriven, "--yes")
    assert done.exit_code == 7
    assert f"{lost} was discarded before" in words_of(done.stdout)
    assert fake.letters[lost].state == DeadLetter.STATE_DISCARDED


@pytest.mark.parametrize(
    "typed",
    [
        (),
        ("j1", "--model", "a/b"),
        ("--yes",),
        ("--state", "lost"),
        ("--charge", "maybe"),
        ("--older", "soon"),
        ("--model", "a/b"),  # nobody can be asked
        ("j1", "--json"),
    ],
)
@pytest.mark.parametrize("verb", ["redrive", "discard"])
def test_what_is_not_clearly_meant_is_not_done(
    fake: FakeOperator, verb: str, typed: tuple[str, ...]
) -> None:
    """Exit code 2, and no call is made."""
    fake.give_up(model="a/b")
    assert dead(verb, *typed).exit_code == 2
    assert fake.asked == []


def test_what_was_not_decided_has_its_own_exit_code(
    fake: FakeOperator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4: repeating the command helps."""
    monkeypatch.setattr("mediagen.retries.Backoff.delay", lambda *_: 0.0)
    done, undecided = fake.give_up(), fake.give_up()
    fake.undecided[undecided] = 99
    ended = dead("redrive", done, undecided, "--yes")
    assert ended.exit_code == 4
    assert f"{undecided} not decided" in words_of(ended.stdout)
    assert "repeat the command" in ended.stderr


def test_an_error_on_the_way_says_what_was_done(fake: FakeOperator) -> None:
    """The outcomes so far, the error, and that nothing is done twice."""
    ids = [fake.give_up() for _ in range(51)]
    real, fake_decide = fake.RedriveDeadLetters, refusal(grpc.StatusCode.INTERNAL, "INTERNAL")

    def breaks_after_one_call(request: Any, context: Any) -> Any:
        answer = real(request, context)
        fake.refusals.append(fake_decide)
        return answer

    fake.RedriveDeadLetters = breaks_after_one_call  # type: ignore[method-assign]
    with served(fake) as address:
        ended = dead("redrive", *ids, "--yes", "--server", address)
    assert ended.exit_code == 4
    assert f"{ids[49]} redriven as" in words_of(ended.stdout)
    assert ids[50] not in ended.stdout
    assert "does nothing twice" in ended.stderr
    assert "Refused: INTERNAL." in ended.stderr


def test_a_server_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 4, for every command."""
    monkeypatch.setattr("mediagen.retries.Backoff.delay", lambda *_: 0.0)
    for command in (["dead", "list"], ["dead", "discard", "j1", "--yes"], ["overview"]):
        ended = mediagen(*command, "--server", "127.0.0.1:1")
        assert ended.exit_code == 4
        assert "127.0.0.1:1" in ended.stderr


def test_the_overview_says_what_goes_on(fake: FakeOperator) -> None:
    """Jobs by what they wait for, the provider, the workers."""
    seen = fake.overview
    seen.waiting_jobs, seen.running_jobs, seen.reconciling_jobs = 12, 8, 1
    seen.parked_jobs, seen.dead_jobs = 2, 3
    seen.oldest_waiting_time.FromDatetime(datetime.now(UTC) - timedelta(minutes=4))
    worker = seen.workers.add(worker_id="generator-1", slots=16, running=8)
    worker.seen_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=2))
    provider = seen.providers.add(
        account="acct", creates_per_minute=300, creates_per_minute_limit=600, throttled_count=2
    )
    provider.message = "The provider refuses the token (401)."
    provider.shut_until.FromDatetime(datetime(2026, 11, 22, 12, 0, 3, tzinfo=UTC))
    provider.throttle_time.FromDatetime(datetime.now(UTC) - timedelta(hours=1))
    done = mediagen("overview")
    assert done.exit_code == 0, done.output
    for told in (
        "waiting 12 for a worker, or for their next attempt; the oldest for 4m",
        "running 8",
        "reconciling 1",
        "parked 2",
        "dead 3",
        "shut The provider refuses the token (401).",
        "at most 300 creates a minute now, 600 while nothing is refused",
        "refused for too many creates 2 times, last 1h ago",
        "generator-1 8 16 2s ago",
    ):
        assert told in words_of(done.stdout), told
    [document] = documents(mediagen("overview", "--json"))
    assert document["parked_jobs"] == 2
    assert document["providers"][0]["open"] is False


def test_an_idle_service_has_an_overview_too() -> None:
    """No worker is worth a word."""
    told = words_of(mediagen("overview").stdout)
    assert "waiting 0 running 0 reconciling 0 parked 0 dead 0" in told
    assert "workers none was heard of lately" in told


def test_what_a_server_says_can_not_steer_the_terminal(fake: FakeOperator) -> None:
    """Escape sequences and direction marks arrive as U+FFFD; markup is only text."""
    call = lost_call()
    call.prediction_id = call.failure.message = HOSTILE
    call.provider_metrics[HOSTILE] = 1
    job_id = fake.give_up(
        message=HOSTILE, model=HOSTILE, tenant=HOSTILE, prompt=HOSTILE, attempts=[call]
    )
    fake.letters[job_id].redriven_as = HOSTILE
    fake.overview.workers.add(worker_id=HOSTILE)
    fake.overview.providers.add(account=HOSTILE, message=HOSTILE)
    commands = [["dead", "list"], ["dead", "show", job_id], ["overview"]]
    commands += [["dead", "redrive", job_id, "--dry-run"], ["dead", "discard", job_id, "--yes"]]
    for command in commands:
        for typed in (command, [*command, "--json"]):
            done = mediagen(*typed)
            assert done.exit_code == 0, done.output
            assert not {"\x1b", "\x07", "\u202e"} & set(done.output), typed
    assert "[bold]x[/bold]" in dead("show", job_id).stdout


MEDIAGEN = [sys.executable, "-m", "mediagen.cli", "dead"]


def test_a_terminal_asks_before_anything_is_paid_again(
    fake: FakeOperator, terminals: list[Terminal]
) -> None:
    """The table of what would be, the question, then the outcomes."""
    free, paid, gone = fake.give_up(), fake.give_up(charge=CHARGE_YES), "no-such-job"
    terminal = Terminal(*MEDIAGEN, "redrive", free, paid, gone, "--force")
    terminals.append(terminal)
    terminal.until("Redrive 2 jobs? 1 of them may have been paid for, and may be paid again.")
    assert "would be redriven" in terminal.screen
    assert fake.redrives == []
    terminal.type(b"y\n")
    terminal.until("2 redriven, 1 not found.")
    assert terminal.exit_code() == 7
    assert fake.redrives == [free, paid]
    assert [list(each.job_ids) for each in fake.asked[-1:]] == [[free, paid]]


@pytest.mark.parametrize("keys", [b"what?\n", b"\x04"])
def test_any_answer_but_yes_changes_nothing(
    fake: FakeOperator, terminals: list[Terminal], keys: bytes
) -> None:
    """Exit code 7; so does the end of the input."""
    lost = parked(fake)
    terminal = Terminal(*MEDIAGEN, "discard", lost)
    terminals.append(terminal)
    terminal.until("Discard 1 job? [y/N]")
    terminal.type(keys)
    terminal.until("Nothing was changed.")
    assert terminal.exit_code() == 7
    assert fake.letters[lost].state == DeadLetter.STATE_PARKED


def test_ctrl_c_at_the_question_changes_nothing(
    fake: FakeOperator, terminals: list[Terminal]
) -> None:
    """Exit code 130."""
    job_id = fake.give_up()
    terminal = Terminal(*MEDIAGEN, "redrive", job_id)
    terminals.append(terminal)
    terminal.until("Redrive 1 job? [y/N]")
    terminal.type(b"\x03")
    assert terminal.exit_code() == 130
    assert fake.redrives == []


def test_nothing_is_asked_where_nothing_would_be_done(
    fake: FakeOperator, terminals: list[Terminal]
) -> None:
    """What was done before, or is refused, needs no answer."""
    terminal = Terminal(*MEDIAGEN, "redrive", parked(fake))
    terminals.append(terminal)
    terminal.until("--force")
    assert terminal.exit_code() == 7
    assert "[y/N]" not in terminal.screen


def test_ctrl_c_on_the_way_says_what_was_done(
    fake: FakeOperator, terminals: list[Terminal]
) -> None:
    """What was told as done is done; exit code 130."""
    ids = [fake.give_up() for _ in range(51)]
    released, reached = threading.Event(), threading.Event()
    real = fake.RedriveDeadLetters

    def stops_before_the_last(request: Any, context: Any) -> Any:
        if not request.validate_only and len(fake.redrives) == 50:
            reached.set()
            released.wait(60)
        return real(request, context)

    fake.RedriveDeadLetters = stops_before_the_last  # type: ignore[method-assign]
    with served(fake) as address:
        options = ["--state", "dead", "--yes", "--server", address]
        terminal = Terminal(*MEDIAGEN, "redrive", *options)
        terminals.append(terminal)
        assert reached.wait(60)
        terminal.until("50/")
        terminal.type(b"\x03")
        terminal.until("Repeating the command does nothing twice.")
        released.set()
    assert terminal.exit_code() == 130
    assert "50 redriven." in terminal.screen
    assert fake.redrives[:50] == ids[:50]
