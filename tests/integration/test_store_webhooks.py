"""Is every event told to every endpoint once, signed, and tried until it is taken or given up?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from standardwebhooks.webhooks import WebhookVerificationError

from mediagen.store.v1 import attempt_ledger_service_pb2 as lb
from mediagen.store.v1 import delivery_ledger_service_pb2 as db
from mediagen.v1 import job_pb2, webhook_pb2
from mediagen.v1 import webhook_endpoint_service_pb2 as eb
from store.adapters import webhook_tables as w
from store.adapters.delivery_making import AT_ONCE
from store.adapters.endpoints import AT_ONCE as AT_A_TIME
from store.adapters.feed import Feed
from store.adapters.submissions import insert_job, new_job
from store.adapters.wakeups import Wakeups
from store.domain.deliveries import ATTEMPTS_KEPT, CLAIM, HORIZON, KEPT
from store.domain.errors import RequestIdReused

from .store_bench import NO_CONTEXT, TENANT
from .webhook_bench import HOOK, OURS, PUBLIC_URL, Webhooks, body_of, verified, webhook_bench

PENDING = webhook_pb2.WebhookDelivery.STATE_PENDING
DELIVERED = webhook_pb2.WebhookDelivery.STATE_DELIVERED
FAILED = webhook_pb2.WebhookDelivery.STATE_FAILED
ENABLED = webhook_pb2.WebhookEndpoint.STATE_ENABLED
PAUSED = webhook_pb2.WebhookEndpoint.STATE_PAUSED
EVERY = ("job.started", "job.retrying", "job.completed", "job.failed", "job.canceled")


@pytest.fixture
async def hooks(database_url: str) -> AsyncIterator[Webhooks]:
    async with webhook_bench(database_url) as bench:
        yield bench


async def count(hooks: Webhooks, table: sa.Table) -> int:
    """How many rows there are."""
    async with hooks.store.database.single() as connection:
        query = sa.select(sa.func.count()).select_from(table)
        return int((await connection.execute(query)).scalar_one())


async def test_an_event_is_posted_with_the_job_as_the_api_shows_it(hooks: Webhooks) -> None:
    """Signed, and of the request only what the job is known by: the prompt is not the URL's."""
    await hooks.create()
    job = await hooks.canceled(prompt="a secret fox", labels={"team": "a"}, request_id="r-1")
    (delivery,) = await hooks.deliveries()
    assert (delivery.type, delivery.job_id, delivery.url) == ("job.canceled", job.job_id, HOOK)
    assert (delivery.revision, delivery.state, delivery.attempt_count) == (2, PENDING, 0)
    claimed = await hooks.post(delivery.delivery_id)
    event = verified(claimed, (await hooks.secret()).key)
    ended = await hooks.store.job(job.job_id)
    assert event["type"] == "job.canceled"
    assert event["timestamp"] == ended.end_time.ToJsonString()
    data = event["data"]
    assert data["request"] == {
        "model": "owner/model", "labels": {"team": "a"}, "request_id": "r-1",
    }  # fmt: skip
    assert (data["job_id"], data["state"], data["revision"]) == (job.job_id, "STATE_CANCELED", 2)
    assert data["attempts"] == [] and "progress_percent" not in data
    assert b"secret" not in claimed.body
    assert claimed.headers["webhook-id"] == delivery.delivery_id
    assert claimed.headers["content-type"] == "application/json"
    taken = await hooks.delivery(delivery.delivery_id)
    assert (taken.state, taken.attempt_count) == (DELIVERED, 1)
    assert [(each.number, each.status_code, each.error) for each in taken.attempts] == [
        (1, 200, "")
    ]


async def test_a_completed_job_is_told_with_links_to_its_artifacts(hooks: Webhooks) -> None:
    """Absolute ones. Each delivery shows its own revision, however late it is posted."""
    await hooks.create(HOOK, "job.started", "job.completed")
    job_id, epoch = await hooks.store.submitted()
    succeeded = lb.RecordSucceededRequest(job_id=job_id, prediction_id=f"p-{job_id}")
    await hooks.store.ledger.RecordSucceeded(succeeded, NO_CONTEXT)
    stored = lb.StoredArtifact(
        artifact=job_pb2.Artifact(media_type="image/png", size_bytes=1, sha256="0" * 64),
        object_key=f"{job_id}/0",
    )
    done = lb.CompleteJobRequest(job_id=job_id, lease_epoch=epoch, artifacts=[stored])
    await hooks.store.ledger.CompleteJob(done, NO_CONTEXT)
    await hooks.store.feed.number(TENANT)
    events = {
        each.type: body_of(await hooks.claim(each.delivery_id))["data"]
        for each in await hooks.deliveries()
    }
    assert set(events) == {"job.started", "job.completed"}
    assert events["job.started"]["state"] == "STATE_RUNNING"
    (artifact,) = events["job.completed"]["artifacts"]
    assert artifact["url"] == f"{PUBLIC_URL}/api/v1/jobs/{job_id}/artifacts/0"


async def test_a_url_named_at_submit_is_told_of_that_job_alone(hooks: Webhooks) -> None:
    """Of the events that the job named. A repeat of the submit is told once."""
    target = webhook_pb2.WebhookTarget(url=HOOK, events=["job.canceled"])
    job = await hooks.canceled(webhook=target, request_id="x")
    again = await hooks.canceled(webhook=target, request_id="x")
    unheard = webhook_pb2.WebhookTarget(url=HOOK, events=["job.completed"])
    await hooks.canceled(webhook=unheard)
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    assert (delivery.job_id, again.job_id) == (job.job_id, job.job_id)
    endpoint = await hooks.endpoint(delivery.endpoint_id)
    assert (endpoint.url, endpoint.of_jobs, list(endpoint.events)) == (HOOK, True, [])
    assert await count(hooks, w.webhook_endpoints) == 1
    with pytest.raises(RequestIdReused):
        await hooks.store.submit(webhook=unheard, request_id="x")
    shown = eb.ListWebhookEndpointsRequest()
    assert not (await hooks.endpoints.ListWebhookEndpoints(shown, OURS)).endpoints
    shown.include_of_jobs = True
    assert len((await hooks.endpoints.ListWebhookEndpoints(shown, OURS)).endpoints) == 1


async def test_many_jobs_at_once_that_name_a_url_share_one_endpoint(hooks: Webhooks) -> None:
    """Whoever is first makes it, in the statement that writes its job."""
    target = webhook_pb2.WebhookTarget(url=HOOK, events=["job.canceled"])
    await asyncio.gather(*(hooks.store.submit(webhook=target) for _ in range(12)))
    assert await count(hooks, w.webhook_endpoints) == 1


async def test_two_numberers_make_each_delivery_once(hooks: Webhooks) -> None:
    """One for each event and endpoint, whoever numbers and however often."""
    first, second = await hooks.create(), await hooks.create("https://b.example/", *EVERY)
    database = hooks.store.database
    feeds = [Feed(database, Wakeups()), Feed(database, Wakeups())]
    jobs = [await hooks.store.submit() for _ in range(10)]

    async def number(feed: Feed) -> None:
        while not done.is_set():
            await feed.number(TENANT)

    done = asyncio.Event()
    numbering = [asyncio.create_task(number(feed)) for feed in feeds]
    await asyncio.gather(*(hooks.store.cancel(job.job_id) for job in jobs))
    done.set()
    await asyncio.gather(*numbering)
    await feeds[0].number(TENANT)
    made = [(d.endpoint_id, d.job_id, d.type) for d in await hooks.deliveries(page_size=200)]
    wanted = [
        (endpoint.endpoint_id, job.job_id, "job.canceled")
        for endpoint in (first, second) for job in jobs
    ]  # fmt: skip
    assert sorted(made) == sorted(wanted)


async def test_only_events_that_an_endpoint_wants_are_told(hooks: Webhooks) -> None:
    """And nothing at all of a change that is no event."""
    await hooks.create(HOOK, "job.completed")
    await hooks.canceled()
    await hooks.create(HOOK, "job.started")
    await hooks.store.submitted()
    await hooks.store.feed.number(TENANT)
    assert [each.type for each in await hooks.deliveries()] == ["job.started"]


async def test_a_paused_endpoint_is_not_called_until_it_is_resumed(hooks: Webhooks) -> None:
    """What was waiting and what comes meanwhile is held, and let go within seconds."""
    endpoint = await hooks.create()
    await hooks.canceled()
    await hooks.pause(endpoint.endpoint_id)
    await hooks.canceled()
    held = await hooks.deliveries()
    assert len(held) == 2
    for each in held:
        assert not each.HasField("next_attempt_time")
        assert (await hooks.claim(each.delivery_id)).refused
    paused = await hooks.endpoint(endpoint.endpoint_id)
    assert (paused.state, paused.pause_reason) == (PAUSED, "Paused by its owner.")
    await hooks.resume(endpoint.endpoint_id)
    for each in await hooks.deliveries():
        wait = each.next_attempt_time.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
        assert wait < timedelta(seconds=6)
        assert not (await hooks.claim(each.delivery_id)).refused


async def test_a_delivery_made_while_its_endpoint_is_resumed_is_not_held(hooks: Webhooks) -> None:
    """Who numbers waits for who resumes: else it would be held, and nobody would let it go."""
    endpoint = await hooks.create()
    await hooks.pause(endpoint.endpoint_id)
    job = await hooks.store.submit()
    await hooks.store.cancel(job.job_id)
    async with hooks.store.database.transaction() as connection:
        await connection.execute(
            sa.update(w.webhook_endpoints).values(state="ENABLED", pause_reason="")
        )
        numbering = asyncio.create_task(hooks.store.feed.number(TENANT))
        await asyncio.sleep(0.3)
        assert not numbering.done()
    await numbering
    (delivery,) = await hooks.deliveries()
    assert delivery.HasField("next_attempt_time")


async def test_a_delivery_made_as_its_endpoint_is_paused_is_held_when_claimed(
    hooks: Webhooks,
) -> None:
    """It is not published for three days for nothing, and goes with the others at the resume."""
    endpoint = await hooks.create()
    await hooks.canceled()
    async with hooks.store.database.transaction() as connection:
        await connection.execute(sa.update(w.webhook_endpoints).values(state="PAUSED"))
    (delivery,) = await hooks.deliveries()
    assert delivery.HasField("next_attempt_time")
    assert (await hooks.claim(delivery.delivery_id)).refused
    assert not (await hooks.delivery(delivery.delivery_id)).HasField("next_attempt_time")
    await hooks.resume(endpoint.endpoint_id)
    assert not (await hooks.claim(delivery.delivery_id)).refused


async def test_of_very_many_that_were_held_none_is_forgotten(
    hooks: Webhooks,
) -> None:
    """A resume is over in time however many wait: the feed and all that is posted wait for it. The
    sweeper lets go the rest; and a removal takes them along in parts."""
    endpoint = await hooks.create()
    await hooks.canceled()
    await hooks.pause(endpoint.endpoint_id)
    copies = sa.text(
        "INSERT INTO webhook_deliveries"
        " (tenant, endpoint_id, type, job_id, revision, create_time, expire_time, due)"
        " SELECT tenant, endpoint_id, type, job_id, revision + n, create_time, expire_time, due"
        " FROM webhook_deliveries, generate_series(1, :more) n"
    )
    async with hooks.store.database.transaction() as connection:
        await connection.execute(copies, {"more": 2 * AT_A_TIME})
    still_held = sa.text("SELECT count(*) FROM webhook_deliveries WHERE available_at IS NULL")
    held = []
    await hooks.resume(endpoint.endpoint_id)
    for _ in range(3):
        async with hooks.store.database.single() as connection:
            held.append((await connection.execute(still_held)).scalar_one())
        await hooks.sweeper.turn()
    assert held == [AT_A_TIME + 1, 1, 0]
    request = eb.DeleteWebhookEndpointRequest(endpoint_id=endpoint.endpoint_id)
    await hooks.endpoints.DeleteWebhookEndpoint(request, OURS)
    assert await count(hooks, w.webhook_deliveries) == 0


async def test_a_rotated_secret_signs_beside_the_new_one_for_a_day(hooks: Webhooks) -> None:
    """Receivers change over in that time, and the old one is worth nothing after it."""
    await hooks.create()
    old = (await hooks.secret()).key
    rotate = eb.RotateWebhookSecretRequest()
    new = await hooks.endpoints.RotateWebhookSecret(rotate, OURS)
    assert (new.previous_key, len({old, new.key})) == (old, 2)
    assert await hooks.secret() == eb.GetWebhookSecretResponse(
        key=new.key, previous_key=old, previous_expire_time=new.previous_expire_time
    )
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    both = await hooks.claim(delivery.delivery_id)
    assert len(both.headers["webhook-signature"].split(" ")) == 2
    assert verified(both, old) == verified(both, new.key)
    await hooks.age(timedelta(hours=24, seconds=1))
    alone = await hooks.claim(delivery.delivery_id)
    assert verified(alone, new.key)
    with pytest.raises(WebhookVerificationError):
        verified(alone, old)
    assert (await hooks.secret()).previous_key == ""


async def test_a_second_rotation_drops_the_oldest(hooks: Webhooks) -> None:
    """Two sign at most."""
    first = (await hooks.secret()).key
    assert first.startswith("whsec_")
    second = (await hooks.endpoints.RotateWebhookSecret(eb.RotateWebhookSecretRequest(), OURS)).key
    third = await hooks.endpoints.RotateWebhookSecret(eb.RotateWebhookSecretRequest(), OURS)
    assert third.previous_key == second
    assert len({first, second, third.key}) == 3


async def test_a_claim_is_one_notifiers_until_it_runs_out(hooks: Webhooks) -> None:
    """The same token gets the same again; another gets nothing, until the claim is over."""
    await hooks.create()
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    first = await hooks.claim(delivery.delivery_id, token="t1")
    assert await hooks.claim(delivery.delivery_id, token="t1") == first
    assert (await hooks.claim(delivery.delivery_id, token="t2")).refused
    assert (await hooks.claim(delivery.delivery_id, token="t3", dispatch=9)).refused
    await hooks.age(CLAIM + timedelta(seconds=1))
    second = await hooks.claim(delivery.delivery_id, token="t2")
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert second.body == first.body
    await hooks.record(delivery.delivery_id, "t1")
    assert (await hooks.delivery(delivery.delivery_id)).state == PENDING
    await hooks.record(delivery.delivery_id, "t2")
    assert (await hooks.delivery(delivery.delivery_id)).state == DELIVERED


async def test_an_outcome_told_twice_counts_once(hooks: Webhooks) -> None:
    """A notifier repeats what it does not know to have arrived."""
    await hooks.create()
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    await hooks.claim(delivery.delivery_id, token="t")
    for _ in range(3):
        await hooks.record(
            delivery.delivery_id, "t", db.DELIVERY_ERROR_STATUS, status_code=503, message="Busy.\0"
        )
    failed = await hooks.delivery(delivery.delivery_id)
    assert (failed.state, failed.attempt_count) == (PENDING, 1)
    (post,) = failed.attempts
    assert (post.status_code, post.error) == (503, "Busy.\ufffd")
    assert await hooks.column(delivery.delivery_id, "dispatch") == 2


async def test_a_retry_goes_by_the_schedule_and_by_what_the_endpoint_asks(hooks: Webhooks) -> None:
    """5 s after the first, 30 s after the second, and no sooner than Retry-After."""
    await hooks.create()
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    key = delivery.delivery_id
    for level, least, most in (("5s", 4, 6), ("30s", 29, 34), ("2m", 119, 133)):
        await hooks.post(key, db.DELIVERY_ERROR_TIMEOUT)
        assert await hooks.column(key, "level") == level
        due = await hooks.column(key, "due") - hooks.store.database.now()
        assert timedelta(seconds=least) < due < timedelta(seconds=most)
    later = db.RecordDeliveryRequest()
    later.retry_after.FromSeconds(7200)
    await hooks.post(key, db.DELIVERY_ERROR_STATUS, status_code=429, retry_after=later.retry_after)
    assert await hooks.column(key, "due") - hooks.store.database.now() > timedelta(minutes=119)
    assert await hooks.column(key, "level") == "1h"


async def test_gone_pauses_the_endpoint_and_holds_what_waits(hooks: Webhooks) -> None:
    """At once, and with a reason for people."""
    endpoint = await hooks.create()
    await hooks.canceled()
    await hooks.canceled()
    one, other = await hooks.deliveries()
    await hooks.post(one.delivery_id, db.DELIVERY_ERROR_STATUS, status_code=410)
    paused = await hooks.endpoint(endpoint.endpoint_id)
    assert paused.state == PAUSED and "410" in paused.pause_reason
    assert paused.HasField("failing_since")
    for each in (one, other):
        assert not (await hooks.delivery(each.delivery_id)).HasField("next_attempt_time")
        assert (await hooks.claim(each.delivery_id)).refused
    await hooks.resume(endpoint.endpoint_id)
    assert not (await hooks.endpoint(endpoint.endpoint_id)).HasField("failing_since")


async def test_a_day_of_failures_pauses_and_one_success_resets(hooks: Webhooks) -> None:
    """Ten in a row at least; what was not sent does not count."""
    endpoint = await hooks.create()
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    for _ in range(9):
        await hooks.post(delivery.delivery_id, db.DELIVERY_ERROR_CONNECTION)
    await hooks.age(timedelta(hours=25))
    await hooks.post(delivery.delivery_id, db.DELIVERY_ERROR_NOT_SENT)
    assert (await hooks.endpoint(endpoint.endpoint_id)).state == ENABLED
    await hooks.post(delivery.delivery_id, db.DELIVERY_ERROR_CONNECTION)
    paused = await hooks.endpoint(endpoint.endpoint_id)
    assert paused.state == PAUSED and "10 in a row" in paused.pause_reason
    await hooks.resume(endpoint.endpoint_id)
    await hooks.post(delivery.delivery_id, db.DELIVERY_ERROR_CONNECTION)
    assert (await hooks.endpoint(endpoint.endpoint_id)).HasField("failing_since")
    await hooks.post(delivery.delivery_id)
    assert not (await hooks.endpoint(endpoint.endpoint_id)).HasField("failing_since")


async def test_what_is_not_taken_in_three_days_fails_and_can_be_redelivered(
    hooks: Webhooks,
) -> None:
    """Also while it is held. Redelivering begins the schedule anew, under the same id."""
    await hooks.create()
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    key = delivery.delivery_id
    for _ in range(4):
        await hooks.post(key, db.DELIVERY_ERROR_CONNECTION)
    await hooks.sweeper.turn()
    assert (await hooks.delivery(key)).state == PENDING
    await hooks.age(HORIZON)
    await hooks.sweeper.turn()
    failed = await hooks.delivery(key)
    assert failed.state == FAILED and failed.HasField("end_time")
    assert (await hooks.claim(key)).refused
    again = await hooks.redeliver(key)
    assert again.state == PENDING and again.HasField("next_attempt_time")
    await hooks.post(key, db.DELIVERY_ERROR_CONNECTION)
    assert await hooks.column(key, "level") == "5s"
    claimed = await hooks.post(key)
    assert claimed.headers["webhook-id"] == key
    assert (await hooks.delivery(key)).attempt_count == 6


async def test_at_most_a_hundred_posts_of_a_delivery_are_kept(hooks: Webhooks) -> None:
    """However often somebody has it redelivered; the newest 20 are shown."""
    await hooks.create()
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    async with hooks.store.database.transaction() as connection:
        await connection.execute(sa.update(w.webhook_deliveries).values(attempts=ATTEMPTS_KEPT - 1))
        old = [
            {"delivery_id": delivery.delivery_id, "number": number, "duration_ms": 1, "error": "",
             "start_time": datetime(2026, 1, 1, tzinfo=UTC), "status_code": 500}
            for number in range(1, ATTEMPTS_KEPT)
        ]  # fmt: skip
        await connection.execute(sa.insert(w.webhook_attempts), old)
    for _ in range(5):
        await hooks.post(delivery.delivery_id, db.DELIVERY_ERROR_TLS)
    assert await count(hooks, w.webhook_attempts) == ATTEMPTS_KEPT
    shown = (await hooks.delivery(delivery.delivery_id)).attempts
    assert [each.number for each in shown] == list(range(85, 105))


async def test_what_is_long_over_is_forgotten(hooks: Webhooks) -> None:
    """Deliveries after 30 days, and then the URL that only jobs named; never what is made by hand,
    and nothing that is still to be posted."""
    kept = await hooks.create("https://kept.example/")
    target = webhook_pb2.WebhookTarget(url=HOOK, events=["job.canceled"])
    await hooks.canceled(webhook=target)
    for each in await hooks.deliveries(endpoint_id=kept.endpoint_id):
        await hooks.claim(each.delivery_id, token="held")
    (of_job,) = [each for each in await hooks.deliveries() if each.url == HOOK]
    await hooks.post(of_job.delivery_id)
    await hooks.age(KEPT + timedelta(hours=1))
    await hooks.redeliver((await hooks.deliveries(endpoint_id=kept.endpoint_id))[0].delivery_id)
    await hooks.sweeper.turn()
    assert [each.url for each in await hooks.deliveries()] == ["https://kept.example/"]
    assert await count(hooks, w.webhook_endpoints) == 1


async def test_a_deleted_endpoint_takes_its_deliveries_along(hooks: Webhooks) -> None:
    """What is posted at that moment finds nothing to be recorded at."""
    endpoint = await hooks.create()
    await hooks.canceled()
    (delivery,) = await hooks.deliveries()
    await hooks.claim(delivery.delivery_id, token="t")
    request = eb.DeleteWebhookEndpointRequest(endpoint_id=endpoint.endpoint_id)
    await hooks.endpoints.DeleteWebhookEndpoint(request, OURS)
    await hooks.record(delivery.delivery_id, "t")
    assert await hooks.deliveries() == []
    await hooks.canceled()
    assert await hooks.deliveries() == []


async def test_a_job_made_again_by_an_operator_is_told_to_the_same_url(hooks: Webhooks) -> None:
    """It is written by the same statement, within the operator's transaction."""
    request = job_pb2.JobRequest(model="owner/model", prompt="fox", request_id="again")
    request.timeout.FromSeconds(600)
    request.webhook.url = HOOK
    database = hooks.store.database
    job = new_job(TENANT, request, database.now())
    async with database.transaction() as connection:
        await insert_job(connection, job, request)
    await hooks.store.cancel(str(job.job_id))
    await hooks.store.feed.number(TENANT)
    (delivery,) = await hooks.deliveries()
    assert (delivery.job_id, delivery.url) == (str(job.job_id), HOOK)


async def test_many_events_at_once_are_told_in_several_statements(
    hooks: Webhooks,
) -> None:
    """More events than one statement is for are told all the same, each once."""
    await hooks.create()
    jobs = [await hooks.store.submit() for _ in range(AT_ONCE + 5)]
    await asyncio.gather(*(hooks.store.cancel(job.job_id) for job in jobs))
    while await hooks.store.feed.number(TENANT):
        pass
    assert await count(hooks, w.webhook_deliveries) == len(jobs)
