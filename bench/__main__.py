"""python -m bench: measure everything once, print the table, exit 0 whatever it says."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from bench import report
from bench.measuring import QUICK, Effort, measure
from bench.rig import rig
from devstack.isolation import scrub_environment


def main(argv: list[str] | None = None) -> None:
    """Runs the bench."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Figures and ratios.")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round to FILE")
    parser.add_argument(
        "--log-level", default="", help="what the services log meanwhile (default: WARNING)"
    )
    chosen = parser.parse_args(argv)
    effort = QUICK if chosen.quick else Effort()
    begin = time.monotonic()

    def say(words: str) -> None:
        print(f"[{time.monotonic() - begin:5.0f} s] {words}", file=sys.stderr, flush=True)

    say(scrub_environment())
    say("starting a stack of its own: Postgres, RabbitMQ, simulator, services, edge")
    with rig(chosen.log_level) as made:
        figures = measure(made, effort, say)
        say("stopping the stack")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    took = f"{effort.rounds} rounds of {effort.seconds:g} s, medians"
    print(f"\nmediagen bench: {machine}; {took}; {time.monotonic() - begin:.0f} s in all")
    print(report.table(figures, effort.clients, effort.running_jobs), flush=True)
    if chosen.json:
        about = {"machine": machine, "rounds": effort.rounds, "seconds": effort.seconds}
        written = {**about, **report.document(figures)}
        chosen.json.write_text(json.dumps(written, indent=2) + "\n")


if __name__ == "__main__":
    main()
