"""python -m soak: run it, print the table; exit 1 if a rule is broken."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

from devstack.isolation import scrub_environment
from soak import judging, report, scale
from soak.judging import Row
from soak.report import Progress
from soak.rig import rig
from soak.running import Soak


def main(argv: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--jobs", type=int, default=2000, help="how many (default: 2000)")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="repeats jobs, faults, kills")
    parser.add_argument("--short", action="store_true", help="the short form that `make test` runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table to FILE")
    parser.add_argument("--log-level", default="INFO", help="of the services")
    chosen = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    print(scrub_environment(), file=sys.stderr)
    size = scale.SHORT if chosen.short else scale.of(chosen.jobs)
    print(f"soak: {size.jobs} jobs, SEED={chosen.seed}", file=sys.stderr, flush=True)
    folder = Path(tempfile.mkdtemp(prefix="mediagen-soak-"))
    keep = False
    try:
        rows = soak(folder, size, chosen.seed, chosen.log_level)
        keep = not judging.passed(rows)
    except KeyboardInterrupt:
        print("soak: stopped; nothing is left running", file=sys.stderr)
        return 130
    except BaseException:
        keep = True
        raise
    finally:
        if keep:
            print(f"soak: the logs and the data are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report.show(rows, f"soak: {size.jobs} jobs, seed {chosen.seed}")
    if chosen.json:
        written = report.document(rows, chosen.seed)
        chosen.json.write_text(json.dumps(written, indent=2) + "\n")
    return 0 if judging.passed(rows) else 1


def soak(folder: Path, size: scale.Scale, seed: str, log_level: str) -> list[Row]:
    """The table of one soak."""
    with Progress() as say:
        say("starting a stack of its own: Postgres, RabbitMQ, simulator, services, edge")
        with rig(folder, size, seed, log_level) as stack:
            evidence = asyncio.run(Soak(stack, size, seed, say).run())
            say("stopping the stack")
        return judging.judge(evidence)


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
