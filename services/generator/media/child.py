"""A process that opens foreign files, so that no other has to: `python -m generator.media.child`.

    one line in:  {"path": …, "media_type": …, "longest": …}
    out:          a line (seen.py), and the bytes of the preview
It has no secret, can write no file, gets so much memory and no more, and ends with its parent: when
its input does, by the kernel's word, or when a file has taken too long and nobody has ended it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from generator.media.kinds import FILMS, PICTURES
from generator.media.seen import Seen

_PR_SET_PDEATHSIG = 1
_MOST_FILES = 64


def main() -> None:
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    answers = _only_way_out()
    _confine(memory)
    for line in sys.stdin.buffer:
        signal.alarm(seconds)
        seen, retire = _looked(json.loads(line))
        answers.write(seen.head(retire=retire) + seen.preview)
        answers.flush()
        signal.alarm(0)


def _only_way_out() -> BinaryIO:
    """Where answers go. What a library prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return answers


def _confine(memory: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):
            # Where memory runs out for all, this one goes first.
            Path("/proc/self/oom_score_adj").write_text("1000")
    # Ctrl-C in a terminal reaches every process of it; the parent says when this one ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_NOFILE, _MOST_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a lower limit is set already
            resource.setrlimit(kind, (limit, limit))


def _looked(asked: Any) -> tuple[Seen, bool]:
    """What the file shows, and whether this process has had it."""
    path, media_type, longest = Path(asked["path"]), asked["media_type"], asked["longest"]
    try:
        # Loaded when first needed: most workers never meet a video.
        if media_type in PICTURES:
            from generator.media import pictures

            return pictures.look(path, PICTURES[media_type], longest), False
        from generator.media import films

        return films.look(path, FILMS[media_type], longest), False
    except MemoryError:
        return Seen(problem="it takes too much memory"), True
    except Exception as error:
        return Seen(problem=type(error).__name__), False


if __name__ == "__main__":
    main()
