"""What does a line of the log look like, and what is never in it?"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from servicekit import logs

PROGRAM = """
import logging, structlog
from servicekit import logs
logs.setup("store", "INFO", {form!r})
logs.mask("r8_very_secret", 'quo"zzz')
log = structlog.get_logger()
{body}
"""


def lines(body: str, form: str = "json") -> list[str]:
    program = PROGRAM.format(form=form, body=body)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    return run.stderr.splitlines()


def test_json_has_one_object_a_line_with_its_service_and_context() -> None:
    """What is bound at the edge is in every line below it."""
    (line,) = lines(
        "structlog.contextvars.bind_contextvars(job_id='j1'); log.info('job.started', attempt=2)"
    )
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "event": "job.started",
        "attempt": 2,
        "job_id": "j1",
        "level": "info",
        "service": "store",
    }


def test_a_library_speaks_in_the_same_form() -> None:
    """stdlib logging takes the same road, below its level it says nothing."""
    (line,) = lines("x = logging.getLogger('lib'); x.debug('no'); x.warning('careful %s', 'now')")
    entry = json.loads(line)
    assert (entry["event"], entry["level"], entry["logger"]) == ("careful now", "warning", "lib")


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "body",
    [
        "log.info('x', token='r8_very_secret')",
        "log.info('r8_very_secret')",
        "log.info('x', nested={'a': ['r8_very_secret', 'quo\"zzz']})",
        "logging.getLogger('lib').error('with r8_very_secret')",
        "try:\n    raise ValueError('r8_very_secret')\nexcept ValueError:\n    log.exception('x')",
        "try:\n    raise ValueError('quo\"zzz')\nexcept ValueError:\n"
        "    logging.getLogger('lib').exception('x')",
        "log.info('x', url='amqp://user:r8_very_secret@host/')",
    ],
)
def test_a_secret_is_in_no_line(body: str, form: str) -> None:
    """Whether it is a value, the event, nested, or the text of an exception."""
    text = "\n".join(lines(body, form))
    assert "***" in text
    assert "r8_very_secret" not in text
    assert "zzz" not in text


def test_a_password_in_a_url_is_masked_without_being_registered() -> None:
    """A driver's error often quotes the whole URL."""
    assert logs.masked("no route to postgresql+asyncpg://me:pw@db:5432/x, sorry") == (
        "no route to postgresql+asyncpg://me:***@db:5432/x, sorry"
    )
    assert logs.masked("see https://host:8000/a@b") == "see https://host:8000/a@b"


def test_known_noise_is_dropped() -> None:
    """Each lost connection makes these libraries print tracebacks; the reconnect is logged."""
    assert (
        lines(
            "logging.getLogger('asyncio').error('Task <OneShotCallback> ...')\n"
            "logging.getLogger('asyncpg').error('Failed to restore the pool connection floor')"
        )
        == []
    )


def test_a_traceback_stays_in_its_json_line() -> None:
    """One object a line, whatever is in it."""
    (line,) = lines("try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('x')")
    assert "ZeroDivisionError" in json.loads(line)["exception"]
