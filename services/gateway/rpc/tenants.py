"""Whose call is this?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

DEFAULT_TENANT = "default"


def tenant_of(metadata: Iterable[tuple[str, Any]] | None) -> str:
    """The tenant of a caller, by the metadata or HTTP headers that came with the call.

    One tenant for now; keys, once there are any, are looked up here and nowhere else.
    """
    return DEFAULT_TENANT
