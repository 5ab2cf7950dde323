"""`mediagen webhooks …`: where events are posted to, and what became of each post."""

from __future__ import annotations

from typing import Annotated

import typer

from mediagen.cli import documents, webhook_pages, words
from mediagen.cli.deliveries import deliveries, print_one, redeliver, tell_sent
from mediagen.cli.exits import Exit
from mediagen.cli.options import DEFAULT_SERVER, JsonOutput, Quiet, Server
from mediagen.cli.session import Session, run
from mediagen.v1.webhook_pb2 import WebhookEndpoint

app = typer.Typer(no_args_is_help=True, help="Be told of events: endpoints, their secret, posts.")


_EndpointId = Annotated[str, typer.Argument(metavar="ENDPOINT_ID", help="The endpoint's id.")]
_Events = Annotated[
    list[str] | None,
    typer.Option(
        "--event",
        "-e",
        help="Such as job.started; repeatable. The three ends of a job if not given.",
    ),
]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="The https URL to post to.")],
    events: _Events = None,
    description: Annotated[str, typer.Option(help="What it is for, in your words.")] = "",
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Make an endpoint, which is told of events from now on."""

    async def body(session: Session) -> Exit:
        endpoint = await session.client.webhooks.create(
            url, events=events or [], description=description
        )
        _tell_endpoint(session, endpoint)
        session.hint("To verify what arrives there:  " + session.command("webhooks", "secret"))
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command("list")
def list_endpoints(
    of_jobs: Annotated[bool, typer.Option("--of-jobs", help="Also URLs that jobs named.")] = False,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """List endpoints, newest first; with --json, one line of JSON for each."""

    async def body(session: Session) -> Exit:
        listed = session.client.webhooks.list(include_of_jobs=of_jobs)
        endpoints = [each async for each in listed]
        if session.json or session.quiet:
            for each in endpoints:
                print_one(session, each, each.endpoint_id)
        elif endpoints:
            webhook_pages.endpoints_table(session.out, endpoints)
        else:
            session.hint("No endpoints.")
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def show(
    endpoint_id: _EndpointId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Show one endpoint: where, what, whether it is called, and since when it fails."""

    async def body(session: Session) -> Exit:
        _tell_endpoint(session, await session.client.webhooks.get(endpoint_id))
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def update(
    endpoint_id: _EndpointId,
    url: Annotated[str | None, typer.Option(help="Where to post from now on.")] = None,
    events: _Events = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Change an endpoint; what is not given stays. Deliveries that wait go to the new URL."""
    if url is None and not events and description is None:
        raise typer.BadParameter("nothing to change: give --url, --event or --description")

    async def body(session: Session) -> Exit:
        endpoint = await session.client.webhooks.update(
            endpoint_id, url=url, events=events or None, description=description
        )
        _tell_endpoint(session, endpoint)
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def pause(
    endpoint_id: _EndpointId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Post nothing to an endpoint until it is resumed. Its events wait, at most three days."""

    async def body(session: Session) -> Exit:
        _tell_endpoint(session, await session.client.webhooks.pause(endpoint_id))
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def resume(
    endpoint_id: _EndpointId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Post to an endpoint again, first what has waited."""

    async def body(session: Session) -> Exit:
        _tell_endpoint(session, await session.client.webhooks.resume(endpoint_id))
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def remove(
    endpoint_id: _EndpointId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Remove an endpoint with its deliveries."""

    async def body(session: Session) -> Exit:
        await session.client.webhooks.delete(endpoint_id)
        if session.json:
            print(documents.dump({"endpoint_id": endpoint_id, "removed": True}))
        elif not session.quiet:
            session.out.print("removed")
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def ping(
    endpoint_id: _EndpointId,
    server: Server = DEFAULT_SERVER,
    json_output: JsonOutput = False,
    quiet: Quiet = False,
) -> None:
    """Post an "endpoint.ping" to an endpoint, to see that it is reached."""

    async def body(session: Session) -> Exit:
        delivery = await session.client.webhooks.ping(endpoint_id)
        tell_sent(session, delivery)
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def secret(
    server: Server = DEFAULT_SERVER, json_output: JsonOutput = False, quiet: Quiet = False
) -> None:
    """Print the secret under which all events are signed."""

    async def body(session: Session) -> Exit:
        answer = await session.client.webhooks.secret()
        print_one(session, answer, answer.key)
        if answer.previous_key and not session.json:
            until = words.when(answer.previous_expire_time)
            session.hint(f"Events are signed under the one before it too, until {until}.")
        return Exit.OK

    run(Session(server, json_output, quiet), body)


@app.command()
def rotate(
    server: Server = DEFAULT_SERVER, json_output: JsonOutput = False, quiet: Quiet = False
) -> None:
    """Make a new secret, and print it. The old one is valid for 24 hours more."""

    async def body(session: Session) -> Exit:
        answer = await session.client.webhooks.rotate_secret()
        print_one(session, answer, answer.key)
        if not session.json and answer.HasField("previous_expire_time"):
            until = words.when(answer.previous_expire_time)
            session.hint(f"Events are signed under the one before it too, until {until}.")
        return Exit.OK

    run(Session(server, json_output, quiet), body)


app.command()(deliveries)
app.command()(redeliver)


def _tell_endpoint(session: Session, endpoint: WebhookEndpoint) -> None:
    if session.json or session.quiet:
        print_one(session, endpoint, endpoint.endpoint_id)
    else:
        webhook_pages.endpoint_page(session.out, endpoint)
