"""How does a process write its log?

One line per unit of work, to stderr: readable on a terminal, one JSON object elsewhere. What a
library logs through `logging` takes the same road. Secrets are replaced in the finished line, so
neither a key's value nor an exception's text can carry one out.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Form = Literal["auto", "json", "console"]

_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
# A shorter string would blank out ordinary words of the log.
_SHORTEST_SECRET = 4
# Said by a library on every lost connection, at ERROR and with a traceback; the reconnect that
# follows is logged by us.
_LOUD = ("OneShotCallback", "pool connection floor")

_secrets: set[str] = set()
_pattern: re.Pattern[str] | None = None


def mask(*secrets: str) -> None:
    """Replaces these strings by *** in every line from now on, also in tracebacks."""
    global _pattern
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            # A renderer may have escaped it on its way.
            _secrets.update({secret, json.dumps(secret)[1:-1], repr(secret)[1:-1]})
    if _secrets:
        longest_first = sorted(_secrets, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, longest_first)))


def masked(line: str) -> str:
    """*line* without the registered secrets and without passwords within URLs."""
    if "://" in line:
        line = _URL_PASSWORD.sub(r"\1***", line)
    return line if _pattern is None else _pattern.sub("***", line)


def setup(service: str, level: str = "INFO", form: Form = "auto") -> None:
    """Configures structlog and `logging` for this process.

    *form* "auto" is "console" where stderr is a terminal and "json" elsewhere.
    """
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]

    def name_the_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        name_the_service,
    ]
    render = _console() if console else _json()
    structlog.configure(
        processors=[*before, *render, _mask_line],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *render,
                _mask_line,
            ],
        )
    )
    handler.addFilter(_is_worth_a_line)
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.INFO), force=True)
    for chatty in ("httpx", "httpcore", "aio_pika", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(max(threshold, logging.WARNING))
    # Whatever goes wrong with a connection is said once, by jobqueue.
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)


def _console() -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            timestamp_key="time",
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def _json() -> list[Processor]:
    return [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(default=str),
    ]


def _mask_line(_: WrappedLogger, __: str, line: EventDict | str) -> str:
    return masked(str(line))


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return not any(words in message for words in _LOUD)
