"""What does a writer leave behind that was killed in the middle of a file? And how does it go?

A folder's large objects are written under a name of their own first, `<key>.part-0a1b2c3d`, and the
library below writes each file as `<name>#1` until it is whole. No key has a `#` in it. In a bucket
nothing is seen of an unfinished write: its own rules drop it.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from servicekit import failpoints

#: What an unfinished file is called, behind the key of what it was to be.
STAGED: Final = "part"
_UNFINISHED = re.compile(rf".+(\.{STAGED}-[0-9a-f]{{8}}(#[0-9]+)?|#[0-9]+)")


async def delete_unfinished(folder: Path, age: timedelta) -> int:
    """Those anywhere in *folder* that nobody has written to for *age* go. How many."""
    before = time.time() - age.total_seconds()
    left = await asyncio.to_thread(lambda: list(_unfinished(folder, before)))
    for path in left:
        with failpoints.around("delete_unfinished"), suppress(OSError):
            path.unlink()
    return len(left)


def _unfinished(folder: Path, before: float) -> Iterator[Path]:
    for within, _, names in os.walk(folder):
        for name in names:
            if _UNFINISHED.fullmatch(name):
                path = Path(within, name)
                try:
                    if path.stat().st_mtime < before:
                        yield path
                except OSError:
                    continue  # it is whole by now, or another deletes it
