"""How are settings read and their problems told?"""

from __future__ import annotations

import pytest
from pydantic import Field

from servicekit import logs, settings


class Example(settings.Common):
    database_url: settings.PostgresUrl
    amqp_url: settings.AmqpUrl = Field(description="where RabbitMQ is")
    gateway_port: settings.Port = 50051
    replicate_api_token: settings.SecretStr | None = None


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "AMQP_URL", "GATEWAY_PORT", "REPLICATE_API_TOKEN", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


def test_every_problem_is_told_at_once_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One run tells all there is to mend; exit code 2."""
    monkeypatch.setenv("DATABASE_URL", "mysql://me:hunter22@db/x")
    monkeypatch.setenv("GATEWAY_PORT", "http")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(SystemExit) as ended:
        settings.load(Example)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "4 settings are wrong" in said
    assert "AMQP_URL: is required and not set (where RabbitMQ is)" in said
    assert "DATABASE_URL: expected postgresql+asyncpg://" in said
    assert "GATEWAY_PORT: " in said
    assert "'http'" in said
    assert "LOG_LEVEL: " in said
    assert "hunter22" not in said


def test_good_settings_are_read_and_their_secrets_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable counts as not set; a hoster's postgres:// gets its driver."""
    monkeypatch.setenv("DATABASE_URL", "postgres://me:correct-horse@db/x")
    monkeypatch.setenv("AMQP_URL", "amqp://me:pw@mq:5672/v")
    monkeypatch.setenv("GATEWAY_PORT", "")
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_token_of_a_test")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    example = settings.load(Example)
    assert example.database_url.get_secret_value() == "postgresql+asyncpg://me:correct-horse@db/x"
    assert example.gateway_port == 50051
    assert example.log_level == "DEBUG"
    assert "correct" not in repr(example)
    assert logs.masked("r8_token_of_a_test and correct-horse") == "*** and ***"


ONE = "amqp://me:first,half@one/v"  # pragma: allowlist secret
TWO = "amqps://me:second-one@two:5671/v"  # pragma: allowlist secret


def test_amqp_url_may_name_every_node_of_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Separated by commas or spaces; each password is masked, also one with a comma in it."""
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db/x")
    monkeypatch.setenv("AMQP_URL", f"{ONE}, {TWO}\n")
    urls = settings.load(Example).amqp_url.get_secret_value()
    assert settings.split_urls(urls) == (ONE, TWO)
    assert logs.masked("first,half and second-one") == "*** and ***"


def test_each_node_of_amqp_url_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One wrong URL among good ones would else be found when the good ones are down."""
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db/x")
    monkeypatch.setenv("AMQP_URL", f"{ONE},http://two/v")
    with pytest.raises(SystemExit):
        settings.load(Example)
    said = capsys.readouterr().err
    assert "AMQP_URL: expected amqp://" in said
    assert "first,half" not in said
