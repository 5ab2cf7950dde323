"""Every step that another party sees can be stopped at: before it, and after it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gateway.failpoints
import generator.failpoints
import jobqueue.failpoints
import notifier.failpoints
import servicekit.objects
import store.failpoints
from mediagen.store.v1 import (
    attempt_ledger_service_pb2,
    delivery_ledger_service_pb2,
    file_service_pb2,
    job_store_service_pb2,
)
from mediagen.v1 import operator_service_pb2, webhook_endpoint_service_pb2
from servicekit import failpoints

from .failpoint_rules import Module, doors, modules_of, not_named, unguarded, unwritten

SERVICES = Path(__file__).parents[2] / "services"
QUEUE = (*jobqueue.failpoints.PUBLISHES, *jobqueue.failpoints.SETTLEMENTS)
OBJECTS = (*servicekit.objects.WRITES, *servicekit.objects.DELETES)
# Built from the database's own: the schema, its checks, and the engine itself.
ENGINES = (
    "store/adapters/database.py", "store/adapters/invariants.py", "store/adapters/migrate.py",
    "store/adapters/migrations/env.py",
)  # fmt: skip
HTTP = r"(\w+\.)*_?client\.(request|get|post|put|patch|delete|stream|send)|exchange"
OBSTORE = r"obstore\.(put|rename|copy|open_writer)(_async)?"


def test_every_step_of_the_store_is_named() -> None:
    """Each write has a name of the list, and each name of the list is a write."""
    assert not_named(modules_of(SERVICES, "store"), store.failpoints.WRITES) == []


def test_every_write_of_the_store_is_a_step() -> None:
    """What changes the database does it in a transaction with a name, or names itself."""
    modules = [
        each for each in modules_of(SERVICES, "store")
        if each.name not in ENGINES and "migrations" not in each.name
    ]  # fmt: skip
    assert unwritten(modules) == []


def test_every_publish_and_every_ack_is_a_step() -> None:
    """One place publishes, and one settles."""
    modules = modules_of(SERVICES, "jobqueue")
    assert not_named(modules, QUEUE) == []
    assert unguarded(modules, r"live\.publish|send") == []
    assert doors(modules, r"\w+\.publish") == {"jobqueue/publisher.py"}
    settled = [
        call for module in modules for call in re.findall(r"(?<!def )\b_message\.\w+\b(?!\.)",
                                                          (SERVICES / module.name).read_text())
        if call.removeprefix("_message.") in jobqueue.failpoints.SETTLEMENTS
    ]  # fmt: skip
    assert sorted(settled) == ["_message.ack", "_message.nack", "_message.reject"]
    for verb in jobqueue.failpoints.SETTLEMENTS:
        text = (SERVICES / "jobqueue/delivery.py").read_text()
        assert re.search(rf'_settle\("{verb}", (lambda: )?self\._message\.{verb}\b', text)


def test_every_call_of_the_generator_is_a_step() -> None:
    """To the store, to the provider, and to where its results lie."""
    modules = modules_of(SERVICES, "generator")
    lists = generator.failpoints
    own = (*lists.LEDGER, *lists.CHORES, *lists.PAID, *lists.PROVIDER, *lists.PICTURES)
    assert not_named(modules, own) == []
    assert unguarded([m for m in modules if m.name != "generator/adapters/reading.py"], HTTP) == []
    assert unguarded(modules, "call") == []


def test_every_method_of_the_ledger_is_a_step() -> None:
    """The step is the method's own name, and no method goes without."""
    service = attempt_ledger_service_pb2.DESCRIPTOR.services_by_name["AttemptLedgerService"]
    methods = {_snake(method.name) for method in service.methods}
    assert methods == set(generator.failpoints.LEDGER)
    text = (SERVICES / "generator/adapters/ledger.py").read_text()
    asked = re.findall(r'_(?:asked|recorded)\("(\w+)", self\._(?:stub|models|files)\.(\w+)', text)
    assert [(step, step) for step, _ in asked] == [(step, _snake(name)) for step, name in asked]
    every = methods | set(generator.failpoints.CHORES)
    assert {step for step, _ in asked} == every
    assert len(asked) == len(re.findall(r"self\._(?:stub|models|files)\.", text)) == len(every)


def test_every_call_of_the_notifier_is_a_step() -> None:
    """To the store, each method by its own name, and to the receivers."""
    own = (*notifier.failpoints.LEDGER, *notifier.failpoints.POSTS)
    modules = modules_of(SERVICES, "notifier")
    assert not_named(modules, own) == []
    assert unguarded(modules, r"call|self\._posted") == []
    posting = {"notifier/adapters/posting.py"}
    assert doors(modules, r"\w+\.handle_async_request|self\._posted") == posting
    service = delivery_ledger_service_pb2.DESCRIPTOR.services_by_name["DeliveryLedgerService"]
    methods = {method.name: _snake(method.name) for method in service.methods}
    assert set(methods.values()) == set(notifier.failpoints.LEDGER)
    text = (SERVICES / "notifier/adapters/ledger.py").read_text()
    asked = re.findall(r'_asked\("(\w+)", self\._stub\.(\w+)', text)
    assert {name: step for step, name in asked} == methods
    assert len(asked) == len(re.findall(r"self\._stub\.", text))


def test_every_change_that_a_gateway_asks_for_is_a_step() -> None:
    """What only reads has none."""
    of_callers = (*gateway.failpoints.STEPS, *gateway.failpoints.TOLD, *gateway.failpoints.GIVEN)
    steps = (*of_callers, *gateway.failpoints.HEARD)
    assert not_named(modules_of(SERVICES, "gateway"), steps) == []
    reads = r"(?!Get|List|Read|Resolve|Watch)"
    asking = modules_of(SERVICES, "gateway/adapters")
    assert unguarded(asking, rf"self\._stub\.{reads}\w+") == []
    services = [
        job_store_service_pb2.DESCRIPTOR.services_by_name["JobStoreService"],
        operator_service_pb2.DESCRIPTOR.services_by_name["OperatorService"],
        webhook_endpoint_service_pb2.DESCRIPTOR.services_by_name["WebhookEndpointService"],
        file_service_pb2.DESCRIPTOR.services_by_name["FileService"],
    ]
    methods = [each.name for service in services for each in service.methods]
    methods = [each for each in methods if _snake(each) not in generator.failpoints.CHORES]
    changing = {_snake(name) for name in methods if re.match(reads, name)}
    assert changing == set(of_callers)


def test_every_write_of_an_object_is_a_step() -> None:
    """To delete what was just staged is none: it was never the job's."""
    modules = modules_of(SERVICES, "servicekit")
    writing = [each for each in modules if each.name.endswith(("objects.py", "unfinished.py"))]
    assert not_named(writing, OBJECTS) == []
    assert unguarded(modules, OBSTORE) == []


def test_nothing_else_speaks_to_another_party() -> None:
    """A new connection is opened where these rules look, or these rules are told of it."""
    every = [
        module for folder in ("store", "gateway", "generator", "notifier", "jobqueue", "servicekit")
        for module in modules_of(SERVICES, folder)
    ]  # fmt: skip
    assert doors(every, r"create_async_engine") == set(ENGINES)
    assert doors(every, r"httpx\.\w*Client") == {
        f"generator/adapters/{name}.py"
        for name in ("create", "delivery", "input_files", "provider")
    }
    assert doors(every, r"httpcore\.\w+(Pool|Connection|Backend|Proxy)|\w+\.connect_tcp") == {
        f"notifier/adapters/{name}.py" for name in ("dialing", "posting")
    }
    assert doors(every, r"obstore\.\w+") == {"servicekit/objects.py"}
    assert doors(every, r"aio_pika\.connect\w*") <= {"jobqueue/link.py"}
    assert doors(every, r"(\w+\.)?\w+Stub") == {
        "gateway/adapters/catalogue.py", "gateway/adapters/endpoints.py",
        "gateway/adapters/files.py", "gateway/adapters/operating.py",
        "gateway/adapters/store.py",
        "gateway/adapters/webhooks.py", "gateway/http/webhooks.py",
        "generator/adapters/ledger.py", "notifier/adapters/ledger.py", "servicekit/probe.py",
        # To the gateway itself:
        "gateway/http/endpoints.py", "gateway/http/jobs.py", "gateway/http/models.py",
        "gateway/http/operating.py", "gateway/http/uploads.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "async with self._jobs.change(job_id) as change: pass",
        'async with self._jobs.change("claim_jobs", job_id) as change: pass',
        "async with self._jobs.change(name, job_id) as change: pass",
        'with failpoints.around("claimed"): pass',
        "failpoints.before(name)",
    ],
)
def test_a_step_without_its_name_is_found(line: str) -> None:
    """A literal that is not of the list, another variable, or none at all."""
    names = {"claim_job"}
    assert not_named([_sample(line)], names)
    assert not_named([_sample('self._jobs.change("claim_job", job_id)')], names) == []


def test_a_name_that_stands_nowhere_is_found() -> None:
    """A list that goes on naming what is gone would make a matrix of nothing."""
    sample = _sample('self._jobs.change("claim_job", job_id)')
    assert not_named([sample], {"claim_job", "release_job"}) == ["release_job: stands nowhere"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("async with self.db.single() as c: await c.execute(sa.update(t.jobs))", True),
        ("async with self.db.single() as c: await c.execute(_MOVE)", True),
        ("async with self.db.single() as c: await _moved(c)", True),
        ("await self.db.rows(_MOVE, {})", True),
        ("async with self.db.transaction() as c: await c.execute(_READ)", True),
        ("async with self.db.single() as c: await c.execute(_READ)", False),
        ("async with self.db.single('move') as c: await c.execute(_MOVE)", False),
        ("await self.db.rows(_MOVE, {}, 'move')", False),
        ("async with self.db.transaction('move') as c: await c.execute(_MOVE)", False),
    ],
)
def test_a_write_without_a_step_is_found(body: str, found: bool) -> None:
    """However far from the connection the statement was built."""
    assert bool(unwritten([_sample(body)])) is found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("await self._client.post(url)", True),
        ("await exchange(self._client, url)", True),
        ("async with asyncio.timeout(5): await self.client.request(url)", True),
        ('with failpoints.around("post"): await self._client.post(url)', False),
        ("await self._client.aclose()", False),
    ],
)
def test_a_call_without_failpoints_is_found(line: str, found: bool) -> None:
    """Nothing but `around` counts as a guard."""
    assert bool(unguarded([_sample(line)], HTTP)) is found


def _sample(line: str) -> Module:
    return Module.of(f"""
class Jobs:
    async def change(self, step: str, job_id: UUID) -> None: ...

def _move() -> sa.Update:
    return sa.update(t.jobs).values(state="RUNNING")

async def _moved(connection): await connection.execute(_MOVE)

_MOVE = _move()
_READ = sa.select(t.jobs).with_for_update()

class Sample:
    async def sample(self) -> None:
        {line}
""")


def test_before_during_and_after() -> None:
    """The names follow from the steps."""
    assert failpoints.names(("ack",)) == ("before_ack", "after_ack")
    named = failpoints.names(("ack", "post"), halfway=("post",))
    assert named == ("before_ack", "after_ack", "before_post", "during_post", "after_post")
    every = (store.failpoints, gateway.failpoints, generator.failpoints, notifier.failpoints)
    assert all(len(set(each.NAMES)) == len(each.NAMES) for each in every)


def test_an_unknown_failpoint_is_refused() -> None:
    """A test that names none would test nothing."""
    known = frozenset({"after_ack"})
    with pytest.raises(ValueError, match="after_lunch"):
        failpoints._read("after_lunch", known)
    chosen = failpoints._read("after_ack:2", known)
    assert chosen is not None
    assert [chosen.reached("after_ack") for _ in range(2)] == [False, True]
    assert failpoints._read("", known) is None


def test_without_a_choice_a_failpoint_does_nothing() -> None:
    """Nothing is even made."""
    assert not failpoints.armed()
    assert failpoints.around("ack") is failpoints.around("claim_job")
    with failpoints.around("ack"):
        failpoints.before("ack")
        failpoints.during("ack")
        failpoints.after("ack")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
