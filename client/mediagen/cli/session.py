"""How does a command run: with what, and what is said when it does not get through?

`run` gives the command a connected client and two consoles, and turns every way in which it can
end into one readable block and an exit code. There is never a traceback.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NoReturn

import typer
from rich.console import Console
from rich.text import Text

from mediagen import errors
from mediagen.cli import documents, exits, words
from mediagen.cli.exits import Exit
from mediagen.cli.options import DEFAULT_SERVER
from mediagen.client import Client

_PIPE_WIDTH = 240  # a pipe has no width; nothing should be cut for want of one


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=True,
        width=None if stream.isatty() else _PIPE_WIDTH,
    )


@dataclass
class Session:
    """What a command works with, and what it leaves behind if it is stopped."""

    server: str
    json: bool
    quiet: bool
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))
    request_id: str = ""
    """Set while a submission is on its way."""
    job_id: str = ""
    """Set while a job is followed, and while its results are saved."""
    saving: bool = False
    """Set while results are saved: the job has ended well."""
    resume_options: list[str] = field(default_factory=list)
    """What `watch` and `download` need to go on as this command would have."""
    goes_on: Callable[[], list[str]] | None = None
    """What goes on where a command stopped that follows all jobs."""
    _client: Client | None = None

    @property
    def client(self) -> Client:
        assert self._client is not None, "only inside run()"
        return self._client

    async def inside(self, body: Callable[[Session], Awaitable[Exit]]) -> Exit:
        """Runs *body* with a client that is closed at the end."""
        api_key = os.environ.get("MEDIAGEN_API_KEY")
        async with Client(self.server, api_key=api_key) as self._client:
            return await body(self)

    def hint(self, text: str) -> None:
        """Says something that only a person needs."""
        if not self.quiet:
            self.err.print(Text(text, style="dim"))

    def command(self, *arguments: str) -> str:
        """A command line that reaches the same server, ready to paste."""
        usual = os.environ.get("MEDIAGEN_SERVER") or DEFAULT_SERVER
        server = [] if self.server == usual else ["--server", self.server]
        return words.plain(shlex.join(["mediagen", *arguments, *server]))


def run(session: Session, body: Callable[[Session], Awaitable[Exit]]) -> NoReturn:
    """Runs a command to its end, and exits with its code."""
    try:
        code = asyncio.run(session.inside(body))
    except KeyboardInterrupt:
        code = _interrupted(session)
    except TimeoutError:
        session.err.print("The wait is over, but the job is not.")
        _say_how_to_go_on(session)
        code = Exit.STILL_RUNNING
    except errors.MediagenError as error:
        code = _refused(session, error)
    except BrokenPipeError:  # the reader (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.READER_GONE
    except OSError as error:
        _say(session, error.strerror or str(error), [str(error.filename or "")])
        _say_how_to_go_on(session)
        code = Exit.USAGE
    except Exception as error:
        code = _broken(session, error)
    raise typer.Exit(code)


def _refused(session: Session, error: errors.MediagenError) -> Exit:
    code = exits.of_error(error)
    if session.json:
        print(documents.dump(documents.error(error)), file=sys.stderr)
        return code
    reached = isinstance(error, errors.MediagenError) and bool(error.reason)
    if code is Exit.UNAVAILABLE and not reached:
        _say(session, f"The server at {session.server} can not be reached.", [error.message])
        session.hint("Is it running? Another address: --server HOST:PORT, or MEDIAGEN_SERVER.")
    else:
        # The message says the same as the lines, in one.
        _say(session, "The request breaks rules." if error.violations else error.message, [])
    width = max((len(each.field) for each in error.violations), default=0)
    for each in error.violations:
        told = f"  {words.plain(each.field or 'request'):<{width}}  {words.plain(each.description)}"
        session.err.print(told)
    if isinstance(error, errors.RequestIdReused) and error.metadata.get("job_id"):
        session.hint(session.command("status", error.metadata["job_id"]) + " shows that job.")
    if code is not Exit.NOT_FOUND:
        _say_how_to_go_on(session)
    if session.request_id and code is Exit.UNAVAILABLE:
        _say_how_to_repeat(session)
    return code


def _interrupted(session: Session) -> Exit:
    if session.job_id or session.goes_on:
        session.err.print("Stopped.")
        _say_how_to_go_on(session)
    elif session.request_id:
        session.err.print("Interrupted while submitting.")
        _say_how_to_repeat(session)
    return Exit.INTERRUPTED


def _say_how_to_go_on(session: Session) -> None:
    if session.goes_on:
        session.hint("To go on from there:  " + session.command(*session.goes_on()))
    if not session.job_id:
        return
    if session.saving:
        session.err.print("The job is completed, and its results are kept. To save them:")
        session.err.print(
            "  " + session.command("download", session.job_id, *session.resume_options)
        )
        return
    session.err.print("The job goes on. To watch it again, or to cancel it:")
    session.err.print("  " + session.command("watch", session.job_id, *session.resume_options))
    session.err.print("  " + session.command("cancel", session.job_id))


def _say_how_to_repeat(session: Session) -> None:
    session.err.print("Whether the job was stored is not known. Repeating the command with")
    session.err.print(f"  --request-id {shlex.quote(words.plain(session.request_id))}")
    session.err.print("finds it if it was, and never makes a second one.")


def _broken(session: Session, error: Exception) -> Exit:
    if os.environ.get("MEDIAGEN_DEBUG"):
        traceback.print_exc()
    _say(session, f"The command itself broke: {type(error).__name__}: {error}", [])
    session.hint("With MEDIAGEN_DEBUG=1 it shows where.")
    _say_how_to_go_on(session)
    return Exit.BUG


def _say(session: Session, message: str, details: list[str]) -> None:
    session.err.print(Text("Error: ", style="bold red"), Text(words.plain(message)), sep="")
    for each in filter(None, details):
        session.err.print(Text("  " + words.plain(each), style="dim"))
