"""Whatever the provider does, a job ends as it should: one job for each row of the failure tables.

The rows are in `hostile_rows`, the cases in `hostile_cases`, and `hostile_run` runs all of them
together on one stack. Here is what must be true of each, and of all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime

import pytest

from devstack.testing import Broker, PostgresServer, Stack
from simulator.fault_kinds import KINDS
from store.adapters.invariants import broken
from tests.e2e.hostile_cases import (
    ACCOUNT_FAULTS,
    ACCOUNT_ROWS,
    CASES,
    LIST_FAULTS,
    MODEL_FAULTS,
    Case,
)
from tests.e2e.hostile_rows import ROWS
from tests.e2e.hostile_run import TOKEN, Ended, Run, run_all
from tests.e2e.workers import assert_never_paid_twice

ENV = {
    "PROVIDER_CREATES_PER_MINUTE": "0",
    "RECONCILE_SETTLE": "10",
    "RECONCILE_SCAN_GAP": "1",
    # The provider's own deadline, for what never ends.
    "LONGEST_RUN": "40",
    "SIMULATOR_SPEED": "20",
}


@pytest.fixture(scope="module")
def run(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Run]:
    """All cases, ended."""
    url, vhost = postgres.create_database(migrated), broker.create_vhost()
    state = tmp_path_factory.mktemp("hostile")
    env = {**ENV, "DATABASE_URL": url, "AMQP_URL": vhost}
    with Stack(state, env=env, without=["generator-1"]) as stack:
        yield run_all(stack, state / "generator.log")
    assert not asyncio.run(broken(url))
    postgres.drop_database(url)
    broker.delete_vhost(vhost)


def test_every_row_of_the_tables_has_a_case() -> None:
    """And no case names a row that is not there."""
    covered = {row for case in CASES for row in case.rows} | set(ACCOUNT_ROWS)
    assert covered == set(ROWS)
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_fault_of_the_simulator_is_met() -> None:
    """What it can do wrong, it does here."""
    met = {fault.name for case in CASES for fault in case.faults}
    met |= {fault.name for fault in LIST_FAULTS} | set(ACCOUNT_FAULTS) | set(MODEL_FAULTS)
    assert met == {kind.name for kind in KINDS}


@pytest.mark.timeout(420)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_job_ends_as_it_should(run: Run, case: Case) -> None:
    """Its state, why, what to do, what it cost, its attempts, and what the provider made."""
    ended = run.ended[case.name]
    job, attempts = ended.job, ended.job["attempts"]
    failure = job.get("failure") or {}
    found = {
        "state": job["state"].removeprefix("STATE_"),
        "reason": failure.get("reason", "").removeprefix("FAILURE_REASON_"),
        "advice": failure.get("retry_advice", "").removeprefix("RETRY_ADVICE_"),
        "charge": job["charge"].removeprefix("CHARGE_"),
        "attempts": " ".join(each["state"].removeprefix("STATE_") for each in attempts),
        "creates": len(ended.calls),
        "artifacts": len(ended.bodies),
    }
    expected = {name: getattr(case, name) for name in found}
    if found["attempts"] in case.attempts.split("|"):
        expected["attempts"] = found["attempts"]
    assert found == expected, ended.text
    assert case.says in failure.get("message", "")
    assert bool(failure.get("message")) is bool(case.reason)
    fields = [each["field"] for each in failure.get("field_violations") or []]
    assert fields == ([case.violation] if case.violation else [])
    if case.waits:
        first, second, *_ = (datetime.fromisoformat(each["create_time"]) for each in attempts)
        assert (second - first).total_seconds() >= case.waits
    assert_never_paid_twice(ended.calls)
    _costs_what_it_says(ended)


def _costs_what_it_says(ended: Ended) -> None:
    """NO is never said of what the provider bills, and each attempt says for itself."""
    billed = {call["id"]: call["billed"] for call in ended.calls}
    for attempt in ended.job["attempts"]:
        if attempt["charge"] == "CHARGE_NO":
            assert not billed.get(attempt.get("prediction_id"))
    if ended.job["charge"] == "CHARGE_NO":
        assert not any(billed.values())


def test_every_fault_was_met(run: Run) -> None:
    """A case whose fault never struck would show nothing; one with a count is used up."""
    never = [rule for rule in run.rules if rule["taken"] < (rule["count"] or 1)]
    assert not never
    assert len(run.rules) == sum(len(case.faults) for case in CASES) + len(LIST_FAULTS)


def test_no_caller_reads_of_the_bill_the_token_or_the_provider_s_addresses(run: Run) -> None:
    """In any job, whatever its provider said."""
    for ended in run.ended.values():
        assert "billing" not in ended.text
        assert "replicate.com/account" not in ended.text
        assert TOKEN not in ended.text
        assert "/delivery/" not in ended.text
        assert "/v1/predictions" not in ended.text


def test_the_token_goes_to_the_api_alone(run: Run) -> None:
    """Not to the host of files, not to a log; and a foreign host is not called at all."""
    assert run.auth_leaks == []
    assert run.trapped == []
    assert TOKEN not in run.said
