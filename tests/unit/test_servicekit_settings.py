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
