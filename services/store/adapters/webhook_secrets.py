"""Under which secret are a tenant's webhooks signed? One, and for a day after a change two."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from standardwebhooks.webhooks import Webhook

from store.adapters import webhook_tables as w
from store.adapters.database import CLOCK, Database

OVERLAP: Final = timedelta(hours=24)
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """What signs now; `previous` until *previous_expire_time*."""

    key: str
    previous: str | None
    previous_expire_time: datetime | None

    def signatures(self, message_id: str, moment: datetime, body: str) -> str:
        """The value of webhook-signature. The keys leave this process in no other form."""
        keys = [self.key, *([self.previous] if self.previous else [])]
        return " ".join(Webhook(key).sign(message_id, moment, body) for key in keys)

    def __repr__(self) -> str:
        return "Secret(…)"


def _new_key() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(_BYTES)).decode()}"


def _rotate() -> sa.Executable:
    made = insert(w.webhook_secrets)
    return made.on_conflict_do_update(
        index_elements=["tenant"],
        set_={
            "key": made.excluded.key,
            "previous_key": w.webhook_secrets.c.key,
            "previous_expire_time": CLOCK + OVERLAP,
        },
    ).returning(*_SHOWN)


# A key that has run out is as good as none.
_LIVE = w.webhook_secrets.c.previous_expire_time > CLOCK
_SHOWN = (
    w.webhook_secrets.c.key,
    sa.case((_LIVE, w.webhook_secrets.c.previous_key)).label("previous"),
    sa.case((_LIVE, w.webhook_secrets.c.previous_expire_time)).label("previous_expire_time"),
)
# Built once: to build a statement takes longer than to run it.
_READ = sa.select(*_SHOWN).where(w.webhook_secrets.c.tenant == sa.bindparam("of_tenant"))
_KEEP = insert(w.webhook_secrets).on_conflict_do_nothing().returning(w.webhook_secrets.c.tenant)
_ROTATE = _rotate()


class WebhookSecrets:
    """The secrets of all tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant: str) -> Secret:
        """The tenant's secret, made if there is none."""
        rows = await self._database.rows(_READ, {"of_tenant": tenant})
        if not rows:
            first = {"tenant": tenant, "key": _new_key()}
            await self._database.rows(_KEEP, first, "keep_webhook_secret")
            rows = await self._database.rows(_READ, {"of_tenant": tenant})
        return _secret(rows[0])

    async def rotate(self, tenant: str) -> Secret:
        """A new one; the one before signs for OVERLAP more."""
        new = {"tenant": tenant, "key": _new_key()}
        rows = await self._database.rows(_ROTATE, new, "rotate_webhook_secret")
        return _secret(rows[0])


def _secret(row: sa.Row[Any]) -> Secret:
    return Secret(row.key, row.previous, row.previous_expire_time)
