"""Does an operator get jobs made again from the command line, on a real stack?"""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from devstack.testing import Stack
from tests.e2e.api_calls import FLUX, SMALL, finished, generate, ledger, set_fault
from tests.e2e.test_api_cli import mediagen

FREE, PAID = "refused once by the provider", "gives nothing once"


async def _given_up(stack: Stack, http: httpx.AsyncClient) -> tuple[str, str]:
    """Two jobs that failed for reasons of the provider: one for nothing, one paid."""
    await set_fault(stack, FREE, "status", arg="403", count=1)
    await set_fault(stack, PAID, "output_none", count=1)
    jobs = [await generate(http, each, model=FLUX, input=SMALL) for each in (FREE, PAID)]
    ended = await asyncio.gather(*(finished(http, each["job_id"]) for each in jobs))
    assert [each["state"] for each in ended] == ["STATE_FAILED"] * 2, ended
    return jobs[0]["job_id"], jobs[1]["job_id"]


async def test_an_operator_has_jobs_made_again(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """list, show, a dry run, redrive, again, forced, discard, overview, with their exit codes."""
    free, paid = await _given_up(stack, http)

    listed, shown, tried = await asyncio.gather(
        mediagen(stack, tmp_path, "dead", "list", "--all", "--newer", "1h"),
        mediagen(stack, tmp_path, "dead", "show", paid),
        mediagen(stack, tmp_path, "dead", "redrive", free, paid, "--dry-run"),
    )
    assert listed.code == 0, listed.err
    assert "provider refused" in next(line for line in listed.out.splitlines() if free in line)
    assert "\tyes\t" in next(line for line in listed.out.splitlines() if paid in line)
    assert f"prompt         {PAID}" in shown.out
    assert "charged: yes; it succeeded" in shown.out
    assert "paid           yes: attempt 1" in shown.out
    assert "refused: it may have been paid for. With --force a new job" in shown.out

    assert (tried.code, "would be redriven" in tried.out) == (7, True)
    done = await mediagen(stack, tmp_path, "dead", "redrive", free, paid, "--yes", "--json")
    results = {each["job_id"]: each for each in done.document["results"]}
    assert done.code == 7
    assert results[free]["outcome"] == "OUTCOME_DONE"
    assert results[paid]["outcome"] == "OUTCOME_MAY_PAY_TWICE"
    anew = results[free]["redriven_as"]
    assert (await finished(http, anew))["state"] == "STATE_COMPLETED"

    again, linked, forced = await asyncio.gather(
        mediagen(stack, tmp_path, "dead", "redrive", free, "--yes"),
        mediagen(stack, tmp_path, "status", anew),
        mediagen(stack, tmp_path, "dead", "redrive", paid, "--yes", "--force", "-q"),
    )
    assert (again.code, f"was redriven before, as {anew}" in again.out) == (0, True)
    assert f"made again from  {free}" in linked.out
    assert (await finished(http, forced.out.strip()))["state"] == "STATE_COMPLETED"
    assert len((await ledger(stack, FREE))["predictions"]) == 1
    assert len((await ledger(stack, PAID))["predictions"]) == 2

    discarded, overview = await asyncio.gather(
        mediagen(stack, tmp_path, "dead", "discard", paid, "--yes"),
        mediagen(stack, tmp_path, "overview"),
    )
    assert (discarded.code, "refused: " in discarded.out) == (7, True)
    assert (overview.code, "at most" in overview.out or "no limit" in overview.out) == (0, True)
    assert "gen-" in overview.out  # a worker's id


async def test_what_was_never_given_up_is_not_found(
    stack: Stack, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A job that goes its way is no dead letter."""
    job = await generate(http, "all is well", model=FLUX, input=SMALL)
    shown = await mediagen(stack, tmp_path, "dead", "show", job["job_id"])
    assert (shown.code, "given up" in shown.err) == (3, True)
    done = await mediagen(stack, tmp_path, "dead", "redrive", job["job_id"], "--yes", "--force")
    assert (done.code, "not found" in done.out) == (7, True)
    await finished(http, job["job_id"])
