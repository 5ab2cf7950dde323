"""The command line: `mediagen generate "a beautiful sunset" --model … --watch -o sunset.webp`.

It needs the extra ``mediagen[cli]`` (typer, rich); the client alone does not, so nothing of it is
imported before `main` runs.
"""

from __future__ import annotations

import os
import sys

_EXTRA = {"typer", "rich"}


def main() -> None:
    """Runs the command that the arguments say, and exits with its code (docs/cli.md)."""
    try:
        from mediagen.cli.app import app
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        print(
            "mediagen: the command line needs typer and rich. "
            'Install them with:  pip install "mediagen[cli]"',
            file=sys.stderr,
        )
        sys.exit(2)
    try:
        try:
            app(prog_name="mediagen")
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:  # before or after a command; within one, session.py has it
        sys.exit(130)
    except BrokenPipeError:  # the reader (`| head`) has seen enough; nothing is left to flush to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
