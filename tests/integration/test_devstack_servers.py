"""Are the private Postgres and RabbitMQ real, isolated, and back after a kill?"""

import asyncio
from pathlib import Path

import aio_pika
import asyncpg
import pytest
from aio_pika.exceptions import ProbableAuthenticationError

from devstack.postgres import Postgres
from devstack.servers import Broker, PostgresServer


async def connect(url: str) -> asyncpg.Connection:
    return await asyncpg.connect(url.replace("+asyncpg", ""))


async def test_a_copied_database_has_the_templates_rows_and_its_own_life(
    postgres: PostgresServer,
) -> None:
    """Each test gets the migrated schema without running the migrations."""
    template = postgres.create_database()
    connection = await connect(template)
    await connection.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
    await connection.close()
    copy = postgres.create_database(template)
    connection = await connect(copy)
    await connection.execute("INSERT INTO t VALUES (2)")
    assert await connection.fetchval("SELECT count(*) FROM t") == 2
    await connection.close()
    connection = await connect(template)
    assert await connection.fetchval("SELECT count(*) FROM t") == 1
    await connection.close()
    postgres.drop_database(copy)
    postgres.drop_database(template)


async def test_committed_rows_survive_a_killed_postgres(postgres: PostgresServer) -> None:
    """fsync is on: the tests' Postgres keeps what a real one keeps."""
    url = postgres.create_database()
    connection = await connect(url)
    await connection.execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
    await asyncio.to_thread(postgres.supervised.kill, "postgres")
    await asyncio.to_thread(postgres.supervised.wait_ready, "postgres")
    connection.terminate()
    connection = await connect(url)
    assert await connection.fetchval("SELECT n FROM t") == 1
    await connection.close()
    postgres.drop_database(url)


async def test_postgres_asks_for_a_password(postgres: PostgresServer) -> None:
    """Other users of the machine reach the port too."""
    password = postgres.url.split(":")[2].split("@")[0]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connect(postgres.url.replace(password, "wrong"))


async def test_postgres_prepared_twice_keeps_its_data(tmp_path: Path) -> None:
    """`make run` again: no second initdb, and the same passwords."""
    said: list[str] = []
    server = Postgres(tmp_path, 21_001)
    await server.prepare(said.append)
    url = server.url
    await Postgres(tmp_path, 21_001).prepare(said.append)
    assert len(said) == 1
    assert url == Postgres(tmp_path, 21_001).url


async def test_a_cut_off_initdb_is_done_again(tmp_path: Path) -> None:
    """A data directory appears whole or not at all."""
    (tmp_path / "data.unfinished").mkdir()
    (tmp_path / "data.unfinished" / "PG_VERSION").write_text("18")
    await Postgres(tmp_path, 21_001).prepare(lambda text: None)
    assert (tmp_path / "data" / "PG_VERSION").exists()
    assert not (tmp_path / "data.unfinished").exists()


async def test_virtual_hosts_do_not_see_each_other(broker: Broker) -> None:
    """A queue of one test is not there in the next."""
    first, second = broker.create_vhost(), broker.create_vhost()
    async with await aio_pika.connect(first) as connection:
        channel = await connection.channel()
        await channel.declare_queue("q", durable=True)
    async with await aio_pika.connect(second) as connection:
        channel = await connection.channel()
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await channel.declare_queue("q", passive=True)
    broker.delete_vhost(first)
    broker.delete_vhost(second)


async def test_the_broker_has_no_guest(broker: Broker) -> None:
    """The password that everyone knows does not work."""
    address = broker.url.partition("@")[2]
    with pytest.raises(ProbableAuthenticationError):
        await aio_pika.connect(f"amqp://guest:guest@{address}")  # pragma: allowlist secret


async def test_a_killed_broker_comes_back_with_its_virtual_hosts(broker: Broker) -> None:
    """A part that dies is started again on the same data and the same port."""
    url = broker.create_vhost()
    await asyncio.to_thread(broker.supervised.kill, "rabbitmq")
    await asyncio.to_thread(broker.supervised.wait_ready, "rabbitmq")
    async with await aio_pika.connect(url) as connection:
        assert not connection.is_closed
    broker.delete_vhost(url)
