"""When are webhooks sent, and how often? Signed snapshots; only the terminal one is retried.

One short-lived task per prediction with a webhook sleeps until the next thing worth telling.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks.webhooks import Webhook

from simulator.archive import Prediction
from simulator.clock import Clock
from simulator.ledger import Ledger
from simulator.predictions import NEVER, ends_at, observe, starts_at

# Seconds after the end at which a refused terminal webhook is tried again: the last one at 60.
RETRIES = (0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 60.0)
SNAPSHOT_INTERVAL = 0.5  #: seconds between two webhooks of logs or outputs
ANSWER_WITHIN = 5.0


class Webhooks:
    """The sender. `snapshot` gives the body: the prediction as GET would answer it now."""

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger,
        seed: str,
        snapshot: Callable[[Prediction], dict[str, Any]],
        secret: str = "",
    ) -> None:
        key = hashlib.sha256(f"{seed} webhooks".encode()).digest()
        derived = "whsec_" + base64.b64encode(key).decode()  # pragma: allowlist secret
        self.secret = secret or derived
        self._signer = Webhook(self.secret)
        self._clock, self._ledger, self._snapshot = clock, ledger, snapshot
        self._client: httpx.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent = 0

    def watch(self, prediction: Prediction) -> None:
        """Follow a new prediction, if it asked for webhooks."""
        if prediction.webhook and "webhook_lost" not in prediction.faults:
            task = asyncio.create_task(self._follow(prediction))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()

    async def _follow(self, prediction: Prediction) -> None:
        held_back: list[Mapping[str, Any]] = []
        told: dict[str, Any] = {}
        while True:
            now = self._clock.now()
            moment = observe(prediction.plan, now)
            if moment.terminal:
                break
            if moment.status == "processing":
                body = self._snapshot(prediction)
                if _events(told, body) & set(prediction.events):
                    if "webhook_out_of_order" in prediction.faults:
                        held_back.append(body)
                    else:
                        await self._deliver(prediction, body, terminal=False)
                told = body
            await self._clock.sleep_until(self._next(prediction, now), prediction.changed)
        await self._finish(prediction, held_back)

    def _next(self, prediction: Prediction, now: float) -> float:
        start, end = starts_at(prediction.plan), ends_at(prediction.plan).at
        if now < start:
            return min(start, end)
        throttled = {"output", "logs"} & set(prediction.events)
        return min(end, now + SNAPSHOT_INTERVAL if throttled else NEVER)

    async def _finish(self, prediction: Prediction, held_back: list[Mapping[str, Any]]) -> None:
        body = self._snapshot(prediction)
        if body["status"] == "aborted":
            return  # the documentation promises no webhook for it, so none is sent
        if "completed" in prediction.events:
            if "webhook_terminal_lost" not in prediction.faults:
                await self._deliver_terminal(prediction, body)
        elif "output" in prediction.events and body["output"] is not None:
            await self._deliver(prediction, body, terminal=False)
        for old in held_back:
            await self._deliver(prediction, old, terminal=False)

    async def _deliver_terminal(self, prediction: Prediction, body: Mapping[str, Any]) -> None:
        """Until 2xx or a minute after the end, always under the same message id."""
        ended = ends_at(prediction.plan).at
        disbelieve = prediction.faults.get("webhook_terminal_4xx")
        doubts = 0 if disbelieve is None else int(float(disbelieve)) or len(RETRIES)
        message_id = self._message_id(prediction)
        for attempt, after in enumerate(RETRIES):
            if attempt:
                await self._clock.sleep_until(ended + after)
            taken = await self._deliver(prediction, body, terminal=True, message_id=message_id)
            if taken and attempt >= doubts:
                return

    async def _deliver(
        self,
        prediction: Prediction,
        body: Mapping[str, Any],
        terminal: bool,
        message_id: str | None = None,
    ) -> bool:
        message_id = message_id or self._message_id(prediction)
        payload = json.dumps(body)
        late = float(prediction.faults.get("webhook_late", 0))
        await self._clock.sleep_until(self._clock.now() + late)
        taken = False
        for _ in range(int(float(prediction.faults.get("webhook_duplicates", 1)))):
            answer = await self._post(str(prediction.webhook), message_id, payload)
            taken = taken or 200 <= answer < 300
            self._ledger.webhooks.append(
                {
                    "prediction": prediction.id,
                    "message": message_id,
                    "status": body["status"],
                    "terminal": terminal,
                    "answer": answer,
                }
            )
        return taken

    async def _post(self, url: str, message_id: str, payload: str) -> int:
        """The receiver's status code; 0 when it could not be reached in time."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=False)
        sent_at = datetime.fromtimestamp(self._clock.now(), UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": self._signer.sign(message_id, sent_at, payload),
        }
        try:
            response = await self._client.post(url, content=payload.encode(), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return 0
        return response.status_code

    def _message_id(self, prediction: Prediction) -> str:
        self._sent += 1
        digest = hashlib.sha256(f"{prediction.id} {self._sent}".encode()).hexdigest()
        return f"msg_{digest[:24]}"


def _events(told: Mapping[str, Any], body: Mapping[str, Any]) -> set[str]:
    """What a snapshot of a running prediction tells beyond the one before it."""
    found = set() if told else {"start"}
    if body["logs"] and body["logs"] != told.get("logs"):
        found.add("logs")
    if body["output"] is not None and body["output"] != told.get("output"):
        found.add("output")
    return found
