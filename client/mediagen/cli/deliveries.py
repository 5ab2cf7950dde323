"""`mediagen webhooks deliveries | redeliver`: what was posted, and once more."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from google.protobuf.message import Message
from rich.text import Text

from mediagen.cli import documents, webhook_pages, words
from mediagen.cli.exits import Exit
from mediagen.cli.options import DEFAULT_SERVER, JsonOutput, Quiet, Server
from mediagen.cli.session import Session, run
from mediagen.v1.webhook_pb2 import WebhookDelivery


class DeliveryWord(StrEnum):
    """What has become of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


_DeliveryId = Annotated[str, typer.Argument(metavar="DELIVERY_ID", help="The delivery's id.")]
_Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")]


def deliveries(
    delivery_id: Annotated[
        str, typer.Argument(metavar="DELIVERY_ID", help="Show this one, with its posts.")
    ] = "",
    endpoint_id: Annotated[str, typer.Option("--endpoint", help="To this endpoint.")] = "",
    job_id: Annotated[str, typer.Option("--job", help="About this job.")] = "",
    states: Annotated[
        list[DeliveryWord] | None,
        typer.Option("--state", "-s", help="In this state; repeatable."),
    ] = None,
    limit: _Limit = 20,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """List what was posted in 30 days, newest first; with an id, show one with every post."""
    if delivery_id and (endpoint_id or job_id or states):
        raise typer.BadParameter("give either a DELIVERY_ID or filters")

    async def body(session: Session) -> Exit:
        if delivery_id:
            _tell_delivery(session, await session.client.webhooks.delivery(delivery_id))
            return Exit.OK
        found: list[WebhookDelivery] = []
        listed = session.client.webhooks.deliveries(
            endpoint_id=endpoint_id,
            job_id=job_id,
            states=[each.value for each in states or []],
            page_size=min(limit + 1, 200),
        )
        async for each in listed:
            if len(found) == limit:
                session.hint(f"Only the newest {limit}; --limit shows more.")
                break
            found.append(each)
        _tell_deliveries(session, found)
        return Exit.OK

    run(Session(server, json_output, quiet), body)


def redeliver(
    delivery_id: _DeliveryId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Post a delivery again, at once and for three days, under the same id."""

    async def body(session: Session) -> Exit:
        tell_sent(session, await session.client.webhooks.redeliver(delivery_id))
        return Exit.OK

    run(Session(server, json_output, quiet), body)


def print_one(session: Session, message: Message, essence: str) -> None:
    """The whole as JSON, or the one thing that a script or a person wants."""
    if session.json:
        print(documents.dump(documents.of(message)))
    else:
        session.out.print(Text(words.plain(essence)))


def tell_sent(session: Session, delivery: WebhookDelivery) -> None:
    """It is on its way: the id alone, so that a script can ask for it again."""
    print_one(session, delivery, delivery.delivery_id)
    command = session.command("webhooks", "deliveries", delivery.delivery_id)
    session.hint(f"To see what became of it:  {command}")


def _tell_delivery(session: Session, delivery: WebhookDelivery) -> None:
    if session.json or session.quiet:
        print_one(session, delivery, delivery.delivery_id)
    else:
        webhook_pages.delivery_page(session.out, delivery)


def _tell_deliveries(session: Session, found: list[WebhookDelivery]) -> None:
    if session.json or session.quiet:
        for each in found:
            print_one(session, each, each.delivery_id)
    elif found:
        webhook_pages.deliveries_table(session.out, found)
    else:
        session.hint("No deliveries.")
