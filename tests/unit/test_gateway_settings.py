"""Does the gateway read its environment, and refuse what can not work?"""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.settings import Settings


def test_artifacts_lie_in_the_state_folder_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARTIFACTS_URL", raising=False)
    assert Settings(state_dir=Path("/srv/state")).artifacts == "file:///srv/state/artifacts"
    assert Settings(artifacts_url="s3://bucket/media").artifacts == "s3://bucket/media"


@pytest.mark.parametrize(
    ("host", "address", "loopback"),
    [
        ("127.0.0.1", "127.0.0.1:50051", "127.0.0.1:7"),
        ("0.0.0.0", "0.0.0.0:50051", "127.0.0.1:7"),
        ("::", "[::]:50051", "[::1]:7"),
    ],
)
def test_the_gateway_calls_itself_where_it_listens(host: str, address: str, loopback: str) -> None:
    """Every address of a machine includes its loopback."""
    settings = Settings(gateway_host=host, gateway_port=50051)
    assert (settings.rpc_address, settings.loopback(7)) == (address, loopback)


def test_every_wrong_setting_is_told_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(
            store_address="nope",
            public_url="ftp://x",
            default_timeout=3,
            max_watchers=0,
            max_upload_bytes=0,
            upload_types="image/*,pictures",
        )
    assert {error["loc"][0] for error in caught.value.errors()} == {
        "store_address",
        "public_url",
        "default_timeout",
        "max_watchers",
        "max_upload_bytes",
        "upload_types",
    }


def test_types_of_uploads_are_patterns() -> None:
    """Separated by commas, with spaces or without."""
    assert Settings(upload_types="image/*, text/plain").taken_types == ("image/*", "text/plain")
    assert Settings(upload_types="*/*").taken_types == ("*/*",)
