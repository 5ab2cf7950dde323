"""Which lines of a service's log does a person at the terminal need? All of them are in its file.

What went wrong, and how each job's paid run ended; not one line for every request and every model,
and of a traceback its last line.
"""

import re

# As the services print it for a person, and as JSON where LOG_FORMAT says so.
_LEVEL = re.compile(r'^\S+ \[(?P<told>[a-z]+) *\] |"level": ?"(?P<named>[a-z]+)"')
_QUIET = frozenset({"debug", "info"})
_RUN_ENDED = re.compile(r"\bjob\.completed\b|\bprediction\.ended\b(?!.*\bsucceeded\b)")
_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning)\b")
# The edge's lines for a request, and what Envoy says besides: it warns of settings at every start.
_SERVED = re.compile(r'"event": ?"request\.served"')
_BROKEN = re.compile(r'"status": ?5\d\d\b')
_ENVOYS = re.compile(r'"event": ?"envoy\.logged"')


def worth_showing(line: str) -> bool:
    """Whether it is one of those lines."""
    if _SERVED.search(line):
        return _BROKEN.search(line) is not None
    found = _LEVEL.search(line)
    if found is None:
        return _EXCEPTION.match(line) is not None
    level = found["told"] or found["named"]
    if _ENVOYS.search(line):
        return level not in {*_QUIET, "warning"}
    return level not in _QUIET or _RUN_ENDED.search(line) is not None
