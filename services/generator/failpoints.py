"""Where can a test kill this process, as a crash would?

MEDIAGEN_FAILPOINT="after_post" kills it the first time it gets there, "after_post:3" the third.
With MEDIAGEN_FAILPOINT_MARK=FILE it kills only the process that can create that file, so that the
next one, started with the same environment, goes on. Without the first, a failpoint does nothing.
"""

from __future__ import annotations

import os
import signal

NAMES = (
    "after_claim",
    "after_ack",
    "before_begin_submit",
    "after_begin_submit",
    "after_post",
    "after_record_prediction",
    "after_record_unknown",
    "after_record_not_created",
    "after_first_poll",
    "after_cancel",
    "before_record_ended",
    "after_record_ended",
    "before_record_succeeded",
    "after_record_succeeded",
    "after_store_object",
    "before_complete",
    "after_complete",
    "before_release",
    "before_report_scan",
)


def _chosen(setting: str) -> tuple[str, int]:
    name, _, nth = setting.partition(":")
    if name and name not in NAMES:
        raise ValueError(f"MEDIAGEN_FAILPOINT: no failpoint is named {name!r}")
    return name, int(nth or 1)


_name, _left = _chosen(os.environ.get("MEDIAGEN_FAILPOINT", ""))


def _marked() -> bool:
    """This process is the one to die. Without a mark, every one is."""
    mark = os.environ.get("MEDIAGEN_FAILPOINT_MARK")
    if not mark:
        return True
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


def hit(name: str) -> None:
    """Dies here by SIGKILL, unhandled and unflushed, if this failpoint was chosen."""
    global _left
    if name == _name:
        _left -= 1
        if _left <= 0 and _marked():
            os.kill(os.getpid(), signal.SIGKILL)
