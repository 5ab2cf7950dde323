"""What can be set from outside? Environment only, read once."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from generator.adapters import delivery_hosts
from generator.adapters.endpoint import base_url, is_loopback
from generator.domain.polling import MISSING_PATIENCE
from servicekit.channels import Address
from servicekit.objects import open_store
from servicekit.settings import AmqpUrl, Common, Hosts, Port


def _api(value: str) -> str:
    parts = urlsplit(value)
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not parts.hostname or not (plain or parts.scheme == "https"):
        raise ValueError("expected https://host[/v1] (plain http for this machine only)")
    return base_url(value)


def _public(value: str) -> str:
    parts = urlsplit(value)
    plain = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if value and (not parts.hostname or parts.query or not (plain or parts.scheme == "https")):
        raise ValueError("expected https://host (plain http for this machine only)")
    return value.rstrip("/")


def _token(value: SecretStr) -> SecretStr:
    stripped = value.get_secret_value().strip()
    if not re.fullmatch(r"[\x21-\x7e]+", stripped):
        raise ValueError("expected a token without spaces")
    return SecretStr(stripped)


def _artifacts(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("file", "s3", "memory"):
        raise ValueError("expected file:///folder or s3://bucket/prefix")
    if parts.scheme != "file":
        open_store(value)
    return value


class Settings(Common):
    """Every setting of the generator."""

    store_address: Address = Field(
        "127.0.0.1:50052", description="host:port of the store, several separated by commas"
    )
    amqp_url: AmqpUrl = Field(description="amqp://user:password@host:port/vhost of RabbitMQ")
    replicate_api_token: Annotated[SecretStr, AfterValidator(_token)] = Field(
        description="the Replicate account's API token; any word for the simulator"
    )
    replicate_base_url: Annotated[str, AfterValidator(_api)] = Field(
        "https://api.replicate.com/v1", description="the API, with or without /v1"
    )
    replicate_delivery_hosts: Hosts = Field(
        delivery_hosts.DEFAULT, description="hosts of results: host, host:port, *.suffix"
    )
    replicate_webhook_url: Annotated[str, AfterValidator(_public)] = Field(
        "", description="public base URL under which the provider can call us; empty: none"
    )
    artifacts_url: Annotated[str, AfterValidator(_artifacts)] = Field(
        description="where results are kept: file:///folder or s3://bucket/prefix"
    )
    generator_concurrency: int = Field(
        200, ge=1, le=5000, description="how many jobs one process holds"
    )
    create_timeout: float = Field(
        20.0, ge=1, le=60, description="seconds that one paid call may take in all"
    )
    lease_heartbeat: float = Field(
        5.0, ge=0.2, le=60, description="seconds between heartbeats; well below LEASE_SECONDS"
    )
    max_artifact_bytes: int = Field(
        512 * 1024 * 1024, ge=1, le=2**32 - 1, description="the largest result that is stored"
    )
    media_decoders: int = Field(
        2, ge=0, le=16, description="processes that look into results; 0: none, and no previews"
    )
    media_decoder_memory: int = Field(
        1024**3, ge=128 * 1024**2, le=16 * 1024**3, description="bytes that each of them may take"
    )
    media_spool_bytes: int = Field(
        1024**3, ge=0, le=2**40, description="bytes of temporary copies that they look into"
    )
    provider_patience: float = Field(
        MISSING_PATIENCE, ge=1, le=3600,
        description="seconds with a provider that no longer knows a run, or says too much of it",
    )  # fmt: skip
    health_port: Port = Field(0, description="port of grpc.health.v1 on loopback; 0: any free one")
