"""Which parts start, and what is each told?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from devstack.banner import banner
from devstack.isolation import REAL, scrub_environment
from devstack.part import DevstackError, Part
from devstack.settings import ROOT, read_settings
from devstack.stack import Plan, make_plan

TOKEN = "r8_real_account"  # pragma: allowlist secret


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[..., Plan]:
    def make(**environ: str) -> Plan:
        given = {"STATE_DIR": str(tmp_path), **environ}
        return make_plan(read_settings(given), given, tmp_path / "software")

    return make


def names(plan: Plan) -> list[str]:
    return [part.name for part in plan.parts]


async def environment_of(plan: Plan, name: str) -> dict[str, str]:
    part = next(part for part in plan.parts if part.name == name)
    return dict((await part.prepare(lambda text: None)).env)


def test_everything_is_started_when_nothing_is_given(plan_of: Callable[..., Plan]) -> None:
    """`make run` on a bare machine: every part, one of each service."""
    assert names(plan_of()) == [
        "postgres", "epmd", "rabbitmq", "simulator", "store-1", "gateway-1", "generator-1",
        "notifier-1", "edge",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "text", "parts"),
    [
        ("DATABASE_URL", "postgresql+asyncpg://db.internal/mediagen", {"postgres"}),
        ("AMQP_URL", "amqp://mq.internal/", {"epmd", "rabbitmq"}),
        ("REPLICATE_BASE_URL", "http://127.0.0.1:1/v1", {"simulator"}),
        ("REPLICATE_API_TOKEN", TOKEN, {"simulator"}),
    ],
)
def test_a_part_whose_address_is_given_is_not_started(
    plan_of: Callable[..., Plan], variable: str, text: str, parts: set[str]
) -> None:
    """The variables that point at real infrastructure take the place of a part."""
    assert set(names(plan_of())) - set(names(plan_of(**{variable: text}))) == parts


def test_the_state_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It holds passwords and logs; the plan writes the first of them."""
    given = {"STATE_DIR": str(tmp_path / "state")}
    make_plan(read_settings(given), given, tmp_path / "software")
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


async def test_given_addresses_reach_the_services(plan_of: Callable[..., Plan]) -> None:
    """What is used in place of a part is what the services are told."""
    plan = plan_of(DATABASE_URL="postgresql+asyncpg://db/x", AMQP_URL="amqp://mq/")
    store = await environment_of(plan, "store-1")
    assert (store["DATABASE_URL"], store["AMQP_URL"]) == ("postgresql+asyncpg://db/x", "amqp://mq/")


async def test_an_account_goes_to_replicate_itself(plan_of: Callable[..., Plan]) -> None:
    """With a token the services' own default address holds, and no simulator's."""
    generator = await environment_of(plan_of(REPLICATE_API_TOKEN=TOKEN), "generator-1")
    assert generator["REPLICATE_API_TOKEN"] == TOKEN
    assert "REPLICATE_BASE_URL" not in generator


async def test_without_an_account_the_simulator_stands_in(plan_of: Callable[..., Plan]) -> None:
    """A simulator's outputs may be fetched from the simulator, and from nowhere else."""
    plan = plan_of(SIMULATOR_PORT="9911")
    generator = await environment_of(plan, "generator-1")
    assert generator["REPLICATE_BASE_URL"] == "http://127.0.0.1:9911/v1"
    assert generator["REPLICATE_DELIVERY_HOSTS"] == "127.0.0.1:9911,localhost:9911"


async def test_several_of_each_know_each_other(plan_of: Callable[..., Plan]) -> None:
    """The documented ports are the first one's; the others are told, not guessed."""
    plan = plan_of(STORES="2", GATEWAYS="3", GENERATORS="2", NOTIFIERS="2")
    assert plan.store_addresses[0] == "127.0.0.1:50052"
    assert plan.gateway_addresses[0] == "127.0.0.1:50051"
    edge = await environment_of(plan, "edge")
    generator = await environment_of(plan, "generator-2")
    assert edge["GATEWAY_ADDRESSES"].split(",") == plan.gateway_addresses
    assert generator["STORE_ADDRESS"].split(",") == plan.store_addresses
    notifier = await environment_of(plan, "notifier-2")
    assert notifier["STORE_ADDRESS"].split(",") == plan.store_addresses
    ports = [port.number for part in plan.parts for port in part.ports]
    assert len(ports) == len(set(ports))


async def test_webhooks_may_go_to_this_machine(plan_of: Callable[..., Plan]) -> None:
    """A developer's receiver is here. The gateway, that refuses URLs, is told what the notifier is;
    whoever names other hosts has those alone."""
    for said, told in (("", "localhost,127.0.0.1,[::1]"), ("10.1.0.0/16", "10.1.0.0/16")):
        plan = plan_of(WEBHOOK_ALLOWED_HOSTS=said)
        for name in ("gateway-1", "notifier-1"):
            environment = await environment_of(plan, name)
            assert environment["WEBHOOK_ALLOWED_HOSTS"] == told


def test_what_others_need_stops_after_them(plan_of: Callable[..., Plan]) -> None:
    """A drain still writes to the store, and the store to its database and broker."""
    parts: dict[str, Part] = {part.name: part for part in plan_of().parts}
    assert {"postgres", "rabbitmq"} <= set(parts["store-1"].needs)
    assert {"store-1", "rabbitmq"} <= set(parts["generator-1"].needs)
    assert parts["edge"].needs == ("gateway-1",)


def test_all_wrong_settings_are_reported_together() -> None:
    """One start, one list; the names are the variables' own."""
    with pytest.raises(DevstackError) as refused:
        read_settings({"EDGE_PORT": "http", "GENERATORS": "0"})
    assert "EDGE_PORT" in str(refused.value)
    assert "GENERATORS" in str(refused.value)


def test_a_relative_state_folder_is_the_checkouts() -> None:
    """STATE_DIR=.run means the same from every working directory."""
    assert read_settings({"STATE_DIR": "elsewhere"}).state_dir == ROOT / "elsewhere"


def test_the_banner_names_what_is_real_and_no_secret(plan_of: Callable[..., Plan]) -> None:
    """Whoever starts it with an account is told that runs cost money; the token is not shown."""
    text = banner(plan_of(REPLICATE_API_TOKEN=TOKEN, EDGE_PORT="8123"), 12.3)
    assert "BILLED" in text
    assert TOKEN not in text
    assert "http://localhost:8123/api/v1/generate" in text


def test_the_real_variables_are_taken_away_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test must not spend money (ledger 37), and the reader is told what is ignored."""
    for name in REAL:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
    said = scrub_environment()
    assert "REPLICATE_API_TOKEN" in said
    assert TOKEN not in said
    assert "No real" in scrub_environment()


async def test_the_simulator_tells_us_of_its_predictions_unless_told_where_else(
    tmp_path: Path, plan_of: Callable[..., Plan]
) -> None:
    """Under `make run`: progress is then seen at once. With an account its owner decides."""
    name = "REPLICATE_WEBHOOK_URL"
    told = await environment_of(plan_of(EDGE_PORT="18000"), "generator-1")
    assert told[name] == "http://127.0.0.1:18000"
    told = await environment_of(plan_of(**{name: "http://127.0.0.1:7"}), "generator-1")
    assert told[name] == "http://127.0.0.1:7"
    assert name not in await environment_of(plan_of(REPLICATE_API_TOKEN=TOKEN), "generator-1")
    given = {"STATE_DIR": str(tmp_path)}
    tests = make_plan(read_settings(given), given, tmp_path / "software", webhooks=False)
    assert name not in await environment_of(tests, "generator-1")
