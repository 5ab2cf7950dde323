"""With a public address, the provider itself says what became of a call whose answer was lost.

The provider's list is broken here throughout: nothing but webhooks can tell.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from devstack.ports import free_port
from devstack.testing import Broker, PostgresServer, Stack
from gateway.failpoints import HEARD_NAMES

from .nursery import Nursery
from .workerless import (
    cancel,
    fault,
    final,
    job_of,
    last_is,
    read,
    submit,
    submitted,
    until,
    workerless_stack,
)
from .workers import Generator, assert_never_paid_twice, calls

SECRET = "whsec_bWVkaWFnZW4gaXMgdGVzdGVkIHdpdGggdGhpcw=="  # pragma: allowlist secret
PATH = "/api/v1/webhooks/replicate"


@pytest.fixture(scope="module")
def stack(
    postgres: PostgresServer,
    broker: Broker,
    migrated: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """The provider knows our address, and its list can not be read."""
    folder = tmp_path_factory.mktemp("webhooks")
    more = {"REPLICATE_WEBHOOK_SECRET": SECRET}
    with workerless_stack(postgres, broker, migrated, folder, more) as running:
        fault(running, "500", count=None, on="list")
        env = {"REPLICATE_WEBHOOK_URL": running.edge_url}
        with Generator(running, folder / "generator.log", env):
            yield running


def token_of(stack: Stack, job_id: str) -> str:
    """The token of the job's newest permit."""
    query = "SELECT submit_token FROM attempts WHERE job_id = $1 ORDER BY number DESC LIMIT 1"
    token: str = read(stack, query, job_id)[0]["submit_token"]
    return token


def webhook(
    base: str, token: str, body: bytes, *, secret: str = SECRET, age: float = 0
) -> httpx.Response:
    """A webhook as Replicate sends it."""
    at = datetime.fromtimestamp(time.time() - age, UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": "msg_test",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_test", at, body.decode()),
    }
    url = f"{base}{PATH}/{token}"
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=20)


def named(prediction_id: str, status: str = "processing") -> bytes:
    return json.dumps({"id": prediction_id, "status": status, "input": {"prompt": "é"}}).encode()


def reason(answer: httpx.Response) -> str:
    details: str = answer.json()["details"][0]["reason"]
    return details


@pytest.mark.parametrize("loss", ["drop_after_create", "html_502_after_create"])
def test_a_call_whose_answer_was_lost_is_adopted_by_its_token(stack: Stack, loss: str) -> None:
    """Without the list, without waiting for it to settle, and without another create."""
    prompt = f"adopted after {loss}"
    fault(stack, loss, match=prompt)
    job = final(stack, submit(stack, prompt), 30)
    assert job["state"] == "STATE_COMPLETED"
    assert [each["state"] for each in job["attempts"]] == ["STATE_SUCCEEDED"]
    made = calls(stack, prompt)
    assert len(made) == 1
    assert made[0]["answered"] is False


def test_webhooks_that_come_twice_and_out_of_order_change_nothing(stack: Stack) -> None:
    """The terminal one before the others, each three times."""
    prompt = "told again and again"
    fault(stack, "webhook_duplicates", match=prompt, arg="3")
    fault(stack, "webhook_out_of_order", match=prompt)
    job = final(stack, submit(stack, prompt), 30)
    time.sleep(1)
    assert job_of(stack, job["job_id"])["revision"] == job["revision"]
    assert [each["state"] for each in job["attempts"]] == ["STATE_SUCCEEDED"]
    assert_never_paid_twice(calls(stack, prompt))


def test_only_what_the_provider_signed_is_believed(stack: Stack) -> None:
    """Another secret, an old one, none at all: refused with a reason, and nothing is changed."""
    prompt = "a call that others would like to name"
    fault(stack, "run", match=prompt, arg="600")
    job_id = submit(stack, prompt)
    before = submitted(stack, job_id)
    token = token_of(stack, job_id)
    other = "whsec_" + "bm90IG91cnM="
    forged = [
        webhook(stack.edge_url, token, named("forged"), secret=other),
        webhook(stack.edge_url, token, named("forged"), age=400),
        httpx.post(f"{stack.edge_url}{PATH}/{token}", content=named("forged"), trust_env=False),
    ]
    for answer in forged:
        assert (answer.status_code, reason(answer)) == (403, "ERROR_REASON_SIGNATURE_INVALID")
    attempts = job_of(stack, job_id)["attempts"]
    assert [each["prediction_id"] for each in attempts] == [
        each["prediction_id"] for each in before["attempts"]
    ]
    cancel(stack, job_id)
    assert final(stack, job_id)["state"] == "STATE_CANCELED"


def test_what_fits_no_call_is_refused_without_harm(stack: Stack) -> None:
    """An unknown token, a prediction of another call, no prediction, and too much of it."""
    ids = [final(stack, submit(stack, f"mixed up {n}"), 30)["job_id"] for n in range(2)]
    first, second = (job_of(stack, each)["attempts"][0]["prediction_id"] for each in ids)
    token = token_of(stack, ids[0])
    unknown = webhook(stack.edge_url, "0" * 32, named(first))
    assert (unknown.status_code, reason(unknown)) == (404, "ERROR_REASON_CALL_NOT_FOUND")
    taken = webhook(stack.edge_url, token, named(second))
    assert (taken.status_code, reason(taken)) == (409, "ERROR_REASON_PREDICTION_TAKEN")
    for nothing in (b"[]", b"{}", b"no json", b'{"id": "../x"}'):
        answer = webhook(stack.edge_url, token, nothing)
        assert (answer.status_code, reason(answer)) == (400, "ERROR_REASON_INVALID_REQUEST")
    large = webhook(stack.edge_url, token, named(first) + b" " * (1024 * 1024))
    assert large.status_code == 413
    assert webhook(stack.edge_url, token, named(first)).status_code == 200
    for each in ids:
        job = job_of(stack, each)
        assert job["state"] == "STATE_COMPLETED"
        assert [attempt["state"] for attempt in job["attempts"]] == ["STATE_SUCCEEDED"]


def test_a_call_that_is_named_after_its_job_has_ended_is_stopped(stack: Stack) -> None:
    """Canceled at the provider by whoever is the reconciler, and its charge is told."""
    prompt = "named too late"
    for name, more in (("drop_after_create", {}), ("webhook_lost", {}), ("run", {"arg": "600"})):
        fault(stack, name, match=prompt, **more)
    job_id = submit(stack, prompt)
    until(stack, job_id, last_is("STATE_UNKNOWN"), what="a lost answer")
    cancel(stack, job_id)
    job = final(stack, job_id, 60)
    assert (job["state"], job["charge"]) == ("STATE_CANCELED", "CHARGE_UNKNOWN")
    (made,) = calls(stack, prompt)
    assert made["status"] == "processing"
    answer = webhook(stack.edge_url, token_of(stack, job_id), named(str(made["id"])))
    assert answer.status_code == 200
    job = until(stack, job_id, lambda job: job["charge"] == "CHARGE_YES", 40, "its charge")
    assert job["attempts"][0]["charge_reason"] == "CHARGE_REASON_RAN_UNTIL_CANCELED"
    assert job["attempts"][0]["provider_metrics"]["predict_time"] > 0
    assert calls(stack, prompt)[0]["status"] == "canceled"


@pytest.mark.parametrize("name", HEARD_NAMES)
def test_a_gateway_that_dies_over_a_webhook_loses_nothing(
    stack: Stack, tmp_path: Path, name: str
) -> None:
    """The provider tells it again, to another gateway."""
    prompt = f"told to a gateway that dies at {name}"
    for each in ("drop_after_create", "webhook_lost"):
        fault(stack, each, match=prompt)
    job_id = submit(stack, prompt)
    until(stack, job_id, last_is("STATE_UNKNOWN"), what="a lost answer")
    (made,) = calls(stack, prompt)
    token, body, port = token_of(stack, job_id), named(str(made["id"])), str(free_port())
    env = {
        "STORE_ADDRESS": stack.store_address,
        "AMQP_URL": stack.amqp_url,
        "GATEWAY_PORT": str(free_port()),
        "GATEWAY_HTTP_PORT": port,
        "REPLICATE_WEBHOOK_SECRET": SECRET,
        "MEDIAGEN_FAILPOINT": name,
    }
    with (
        Nursery("gateway") as nursery,
        nursery.start("gateway", env, tmp_path / "gateway.log") as gateway,
    ):
        end = time.monotonic() + 60
        while not gateway.gone:
            assert time.monotonic() < end, f"nobody came past {name}"
            try:
                webhook(f"http://127.0.0.1:{port}", token, body)
            except httpx.HTTPError:
                time.sleep(0.1)
    assert webhook(stack.edge_url, token, body).status_code == 200
    job = final(stack, job_id, 60)
    assert job["state"] == "STATE_COMPLETED"
    assert [each["state"] for each in job["attempts"]] == ["STATE_SUCCEEDED"]
    assert len(calls(stack, prompt)) == 1


def test_no_token_is_in_any_log(stack: Stack) -> None:
    """Its bearer could name a prediction of ours: not the edge's, the gateway's, nor any other."""
    job = final(stack, submit(stack, "a secret word"), 30)
    token = token_of(stack, job["job_id"])
    assert webhook(stack.edge_url, token, named("x"), age=400).status_code == 403
    tokens = [row["submit_token"] for row in read(stack, "SELECT submit_token FROM attempts")]
    time.sleep(1)
    for name in ("edge", "gateway-1", "store-1"):
        text = stack.read_log(name)
        assert text
        assert not [each for each in tokens if each in text], name
    assert "/api/v1/webhooks/" in stack.read_log("edge")
    written = (stack.state / "generator.log").read_text()
    assert not [each for each in tokens if each in written]
