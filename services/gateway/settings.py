"""What does the gateway read from its environment?"""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from servicekit.channels import Address
from servicekit.settings import AmqpUrl, BaseUrl, Common, Hosts, Port


def _is_storage(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("file", "s3", "memory"):
        raise ValueError("expected file:///folder or s3://bucket/prefix")
    return url


def _words(secret: SecretStr) -> tuple[str, ...]:
    return tuple(each for each in re.split(r"[,\s]+", secret.get_secret_value()) if each)


def _are_secrets(value: SecretStr) -> SecretStr:
    for each in _words(value):
        try:
            key = base64.b64decode(each.removeprefix("whsec_") + "==", validate=False)
        except ValueError:
            key = b""
        if not key:
            raise ValueError("expected whsec_ and base64, several separated by commas")
    return value


def _are_types(text: str) -> str:
    for each in text.split(","):
        if not re.fullmatch(r"[a-z0-9.+-]+/([a-z0-9.+-]+|\*)|\*/\*", each.strip()):
            raise ValueError(f"expected types such as image/* or text/plain, got {each.strip()!r}")
    return text


class Settings(Common):
    """The gateway's environment. Names are the variables' own, in lower case."""

    # Loopback only by default: nothing asks for a key yet.
    gateway_host: str = "127.0.0.1"
    gateway_port: Port = 50051
    gateway_http_port: Port = 50080
    store_address: Address = "127.0.0.1:50052"
    amqp_url: AmqpUrl = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    # Where callers reach the edge; artifact URLs begin with it.
    public_url: BaseUrl = "http://localhost:8000"
    # Which webhooks are the provider's: its secret, several while it changes. None: none is.
    replicate_webhook_secret: Annotated[SecretStr, AfterValidator(_are_secrets)] = SecretStr("")
    # To which hosts callers may have webhooks posted though they are not public. As the notifier.
    webhook_allowed_hosts: Hosts = ""
    state_dir: Path = Path(".run")
    artifacts_url: Annotated[str, AfterValidator(_is_storage)] | None = None
    # From a bucket callers get artifacts themselves, by URLs that are signed for five minutes.
    artifact_redirects: bool = False
    # What may be uploaded to be an input: how long, and of which types.
    max_upload_bytes: Annotated[int, Field(ge=1, le=4_000_000_000)] = 95_000_000
    upload_types: Annotated[str, AfterValidator(_are_types)] = (
        "image/*,video/*,audio/*,text/plain,application/pdf,application/json,application/zip"
    )
    # Seconds that a job may take in all where its submission does not say.
    default_timeout: Annotated[int, Field(ge=10, le=86_400)] = 3600
    max_watchers: Annotated[int, Field(ge=1)] = 10_000
    # Seconds that the store is waited for at start, and that open calls get at the end.
    store_wait: Annotated[float, Field(gt=0)] = 120.0
    gateway_drain_seconds: Annotated[float, Field(ge=0, le=600)] = 10.0

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Each secret that a webhook may be signed with."""
        return _words(self.replicate_webhook_secret)

    @property
    def taken_types(self) -> tuple[str, ...]:
        """Each pattern of UPLOAD_TYPES."""
        return tuple(each.strip() for each in self.upload_types.split(","))

    @property
    def artifacts(self) -> str:
        """ARTIFACTS_URL, or the folder of the state."""
        return self.artifacts_url or (self.state_dir.resolve() / "artifacts").as_uri()

    @property
    def rpc_address(self) -> str:
        return _joined(self.gateway_host, self.gateway_port)

    def loopback(self, port: int) -> str:
        """Where this process reaches its own gRPC server."""
        every = {"0.0.0.0": "127.0.0.1", "::": "::1"}
        return _joined(every.get(self.gateway_host, self.gateway_host), port)


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
