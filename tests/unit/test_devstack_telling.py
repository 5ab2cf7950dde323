"""What of the logs does `make run` show?"""

import pytest

from devstack.telling import worth_showing

STAMP = "2026-11-23T06:41:42.301747Z"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            f"{STAMP} [info     ] rpc.finished    code=OK rpc=/mediagen.v1.GenerationService/X",
            False,
        ),
        (f"{STAMP} [info     ] model.read      model=a/b", False),
        (f"{STAMP} [info     ] job.completed   artifacts=1 job_id=j", True),
        (f"{STAMP} [info     ] prediction.ended job_id=j status=failed", True),
        (f"{STAMP} [info     ] prediction.ended job_id=j status=succeeded", False),
        (f"{STAMP} [warning  ] store.was_away  error=x", True),
        (f"{STAMP} [error    ] rpc.crashed     rpc=x", True),
        ("Traceback (most recent call last):", False),
        ('  File "x.py", line 1, in <module>', False),
        ("sqlalchemy.exc.ProgrammingError: no such column", True),
        ('{"event": "rpc.finished", "level": "info"}', False),
        ('{"event": "broker.lost", "level": "warning"}', True),
        ('{"event":"request.served","method":"GET","status":200}', False),
        ('{"event":"request.served","method":"GET","status":404}', False),
        ('{"event":"request.served","method":"GET","status":503}', True),
        ('{"message":"no limit","level":"warning","event":"envoy.logged"}', False),
        ('{"event":"envoy.logged","message":"no limit","level":"warning"}', False),
        ('{"message":"bad","level":"error","event":"envoy.logged"}', True),
    ],
)
def test_problems_and_ends_are_shown(line: str, shown: bool) -> None:
    """Not a line for each request, each model, each step."""
    assert worth_showing(line) is shown
