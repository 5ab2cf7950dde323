"""The gateway is killed before and after every call that changes something, and is asked again.

The matrix is gateway.failpoints.NAMES. A gateway beside the stack's own dies by SIGKILL while it
serves a call. Whoever called it repeats the call at another one, with the same words: there is one
job, and `Crash.check` must hold for it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from devstack.ports import free_port
from devstack.testing import Stack
from gateway.failpoints import NAMES
from store.adapters.invariants import broken

from .crashing import Caller, Crash, Fault, Scene, crashes_of, killed
from .nursery import Nursery

UNPAID = Scene(
    (Fault("fail", "E4875"),), ends="STATE_FAILED", reason="FAILURE_REASON_PROVIDER_REFUSED",
    paid=0,
)  # fmt: skip
SCENES = {
    "create_job": Scene(act="submit"),
    "cancel_job": Scene(
        (Fault("run", "1500"),), act="cancel", ends="STATE_CANCELED", paid=0
    ),
    "redrive_dead_letters": replace(UNPAID, act="redrive", paid=1),
    "discard_dead_letters": replace(UNPAID, act="discard"),
}  # fmt: skip


@pytest.fixture(scope="module")
def crashes(stack: Stack, request: pytest.FixtureRequest) -> dict[str, Crash]:
    """Every failpoint has killed a gateway, and every caller has asked again."""
    found = crashes_of(NAMES, SCENES, request)
    asyncio.run(_run(stack, found, found[0].mark.with_name("log")))
    return {crash.name: crash for crash in found}


async def _run(stack: Stack, crashes: list[Crash], log: Path) -> None:
    caller = Caller(stack)
    with Nursery("gateway") as nursery:
        for crash in crashes:
            await _lead(caller, crash)
            own = {"GATEWAY_PORT": str(free_port()), "GATEWAY_HTTP_PORT": str(free_port())}
            env = {
                "STORE_ADDRESS": stack.store_address,
                "AMQP_URL": stack.amqp_url,
                "ARTIFACTS_URL": (stack.state / "artifacts").as_uri(),
                **own,
                **crash.setting,
            }
            with nursery.start("gateway", env, log) as gateway:
                await _unanswered(own["GATEWAY_HTTP_PORT"], crash)
                await killed(gateway, crash)
            await _again(caller, crash)
    await caller.all_ended(crashes, 60)


async def _lead(caller: Caller, crash: Crash) -> None:
    """The job is where it can be asked for what the scene is about."""
    if crash.scene.act != "submit":
        await caller.begin(crash)
    if crash.scene.act == "cancel":
        await caller.attempt_is(crash, "STATE_SUBMITTED")
    if crash.scene.act in ("redrive", "discard"):
        await caller.has_ended(crash)


async def _unanswered(port: str, crash: Crash) -> None:
    """Asks the gateway that dies over it, as soon as that listens."""
    path, body = crash.asks(crash.scene.act)
    async with (
        asyncio.timeout(60),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        while True:
            try:
                answer = await http.post(path, json=body)
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
            except httpx.HTTPError:
                return
            else:
                raise AssertionError(f"answered: {answer.text}")


async def _again(caller: Caller, crash: Crash) -> None:
    match crash.scene.act:
        case "submit":
            await caller.begin(crash)
        case "cancel":
            await caller.cancel(crash)
        case decision:
            await caller.decide(decision, crash)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_what_a_killed_gateway_was_asked_for_is_done_once(
    stack: Stack, crashes: dict[str, Crash], name: str
) -> None:
    """The job ends as it should, each call began after the end of the last, and one was paid."""
    crashes[name].check(stack)
    assert asyncio.run(broken(stack.database_url)) == []
