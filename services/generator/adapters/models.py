"""Does a model take a seed? Looked up in its schema, kept for ten minutes.

Only a help: without an answer the job goes on without a seed of ours.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog

from generator.adapters.endpoint import ProviderError
from generator.adapters.provider import Provider

log = structlog.get_logger()

_KEPT = 600.0
_KEPT_FAILURE = 30.0
_MOST = 256
_PATIENCE = 5.0


class ModelSchemas:
    """Asks once for many jobs of the same model."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._known: dict[str, tuple[float, bool]] = {}
        self._asking: dict[str, asyncio.Task[bool]] = {}

    async def takes_seed(self, model: str) -> bool:
        """*model* as "owner/name" or "owner/name:version"."""
        now = time.monotonic()
        until, answer = self._known.get(model, (0.0, False))
        if now < until:
            return answer
        asking = self._asking.get(model)
        if asking is None:
            asking = asyncio.create_task(self._ask(model), name=f"schema of {model}")
            self._asking[model] = asking
            asking.add_done_callback(lambda _: self._asking.pop(model, None))
        # Shielded: one job's end must not take the answer from the others.
        return await asyncio.shield(asking)

    async def _ask(self, model: str) -> bool:
        kept = _KEPT
        try:
            async with asyncio.timeout(_PATIENCE):
                answer = await self._look_up(model)
        except (ProviderError, TimeoutError) as error:
            answer, kept = False, _KEPT_FAILURE
            log.info("model.schema_unknown", model=model, error=str(error) or type(error).__name__)
        while len(self._known) >= _MOST:
            self._known.pop(next(iter(self._known)))
        self._known[model] = (time.monotonic() + kept, answer)
        return answer

    async def _look_up(self, model: str) -> bool:
        name, _, version = model.partition(":")
        owner, _, short = name.partition("/")
        body = await self._provider.model(owner, short, version)
        schema = body if version else _at(body, "latest_version")
        fields = _at(schema, "openapi_schema", "components", "schemas", "Input", "properties")
        return isinstance(fields, dict) and "seed" in fields


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
