"""Which settings does a process have, and what is wrong with them?

Environment only. Every problem is told at once, by the variable's name; values of secrets never.
"""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any, Literal, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from servicekit import logs
from servicekit.hosts import HostList

# Shorter passwords ("guest") are words of the log; within URLs they are masked anyway.
_SHORTEST_PASSWORD = 8

Port = Annotated[int, Field(ge=0, le=65535, description="A TCP port; 0 lets the system choose.")]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]


def split_urls(text: str) -> tuple[str, ...]:
    """The URLs in *text*, which commas or spaces separate. A password may have commas of its own:
    only one before the next scheme:// counts."""
    return tuple(re.split(r"[,\s]+(?=[a-z0-9+]+://)", text.strip(", \t\r\n")))


def _is_amqp(urls: SecretStr) -> SecretStr:
    for each in split_urls(urls.get_secret_value()):
        parts = urlsplit(each)
        if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
            raise ValueError(
                "expected amqp://user:password@host:port/vhost (or amqps://), several separated by "
                "commas"
            )
    return urls


def _is_postgres(url: SecretStr) -> SecretStr:
    scheme, separator, rest = url.get_secret_value().partition("://")
    if not separator or scheme not in ("postgres", "postgresql", "postgresql+asyncpg"):
        raise ValueError("expected postgresql+asyncpg://user:password@host:port/database")
    return SecretStr(f"postgresql+asyncpg://{rest}")


def _is_base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("expected http://host or https://host, with an optional path")
    return url.rstrip("/")


def _are_hosts(text: str) -> str:
    HostList(text)
    return text


AmqpUrl = Annotated[SecretStr, AfterValidator(_is_amqp)]
# Also takes postgres:// and postgresql://, as hosters print them, and names the driver itself.
PostgresUrl = Annotated[SecretStr, AfterValidator(_is_postgres)]
Hosts = Annotated[str, AfterValidator(_are_hosts)]
BaseUrl = Annotated[str, AfterValidator(_is_base_url)]


class Common(BaseSettings):
    """What every process reads. An empty variable counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    log_level: LogLevel = "INFO"
    log_format: logs.Form = "auto"


S = TypeVar("S", bound=BaseSettings)


def load(cls: type[S]) -> S:
    """Reads *cls* from the environment, or prints every problem and exits with 2.

    Every secret that was read is masked in the log from here on.
    """
    try:
        settings = cls()
    except ValidationError as error:
        _refuse([_problem(cls, dict(each)) for each in error.errors()])
    except SettingsError as error:
        _refuse([str(error)])
    for value in settings.__dict__.values():
        if isinstance(value, SecretStr):
            _mask(value.get_secret_value())
    return settings


def _refuse(problems: list[str]) -> Any:
    count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
    lines = "\n".join(f"  - {problem}" for problem in problems)
    print(f"Can not start: {count} wrong.\n{lines}", file=sys.stderr)
    raise SystemExit(2)


def _problem(cls: type[BaseSettings], error: dict[str, Any]) -> str:
    location = error["loc"]
    if not location:
        return _sentence(error)
    name, field = _variable(cls, str(location[0]))
    if error["type"] == "missing":
        hint = f" ({field.description})" if field and field.description else ""
        return f"{name}: is required and not set{hint}"
    given = error.get("input")
    shown = f" (it is {given!r})" if _may_be_shown(field) and isinstance(given, str) else ""
    return f"{name}: {_sentence(error)}{shown}"


def _variable(cls: type[BaseSettings], location: str) -> tuple[str, FieldInfo | None]:
    """The environment variable behind an error's location, which is a field's name or its alias."""
    prefix = cls.model_config.get("env_prefix", "")
    for name, field in cls.model_fields.items():
        alias = field.validation_alias
        if location in (name, alias):
            return (alias if isinstance(alias, str) else f"{prefix}{name}").upper(), field
    return location.upper(), None


def _sentence(error: dict[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _may_be_shown(field: FieldInfo | None) -> bool:
    if field is None:
        return False
    kinds = (field.annotation, *get_args(field.annotation))
    return SecretStr not in kinds and "SecretStr" not in repr(field.annotation)


def _mask(secret: str) -> None:
    for each in {secret, *split_urls(secret)}:
        logs.mask(each)
        try:
            password = urlsplit(each).password
        except ValueError:
            continue
        if password and len(password) >= _SHORTEST_PASSWORD:
            logs.mask(password)
