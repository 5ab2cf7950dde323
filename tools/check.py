"""Does everything hold that can be seen without running the product?

python -m tools.check          every step, as many at a time as there are cores, then a table
python -m tools.check types    only the named steps
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PYTHON = str(BIN / "python")
_LINES = 80


@dataclass(frozen=True)
class Step:
    """One command; its exit status says whether it holds. mend: what to do if it does not."""

    name: str
    command: tuple[str, ...]
    mend: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a step said, and how long it took."""

    step: Step
    passed: bool
    seconds: float
    output: str


def steps() -> list[Step]:
    """All of them, the longest first, so that none is left alone at the end."""
    dockerfiles = [name for name in tracked() if Path(name).name.startswith("Dockerfile")]
    compose = ("--builtin-schema", "vendor.compose-spec", "docker-compose.yml")
    return [
        Step("types", (str(BIN / "mypy"),)),
        Step("web", ("tools/web", "check"), "tools/web format; make web"),
        Step("contracts", ("tools/proto", "check"), "make proto"),
        Step(
            "migrations",
            (PYTHON, "-m", "tools.migrations"),
            "write a migration for what the models say",
        ),
        Step("secrets", (PYTHON, "-m", "tools.find_secrets"), "remove it, and revoke it if real"),
        Step("imports", (str(BIN / "lint-imports"), "--no-cache")),
        Step("lint", (str(BIN / "ruff"), "check", "--quiet", "."), "make lint"),
        Step("format", (str(BIN / "ruff"), "format", "--check", "--quiet", "."), "make format"),
        Step("compose", (str(BIN / "check-jsonschema"), *compose)),
        Step("dockerfile", (str(BIN / "hadolint"), *(dockerfiles or ["Dockerfile"]))),
    ]


def tracked() -> list[str]:
    """The files of the checkout, with those that git does not know yet but does not ignore."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({name for name in listing.stdout.split("\0") if (ROOT / name).is_file()})


def run_step(step: Step) -> Outcome:
    """Run it; a command that cannot even start has failed."""
    began = time.monotonic()
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    try:
        done = subprocess.run(
            step.command,
            cwd=ROOT,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        passed, output = done.returncode == 0, done.stdout
    except OSError as problem:
        passed, output = False, str(problem)
    return Outcome(step, passed, time.monotonic() - began, output)


def main(names: Sequence[str]) -> int:
    """Run, print what failed as it fails, then the table."""
    every = steps()
    unknown = set(names) - {step.name for step in every}
    if unknown:
        known = ", ".join(step.name for step in every)
        print(f"no such step: {', '.join(sorted(unknown))} (there are: {known})", file=sys.stderr)
        return 2
    chosen = [step for step in every if not names or step.name in names]
    began = time.monotonic()
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        for future in as_completed([pool.submit(run_step, step) for step in chosen]):
            outcome = future.result()
            outcomes.append(outcome)
            if not outcome.passed:
                print(f"\n── {outcome.step.name}: {' '.join(outcome.step.command)}")
                print(shortened(outcome.output), flush=True)
    print_table(outcomes, time.monotonic() - began)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def shortened(output: str) -> str:
    """What fits on a screen or two; the command is printed above it for the rest."""
    lines = output.rstrip().splitlines()
    if len(lines) <= _LINES:
        return "\n".join(lines)
    return "\n".join([*lines[:_LINES], f"… and {len(lines) - _LINES} more lines"])


def print_table(outcomes: Sequence[Outcome], seconds: float) -> None:
    print()
    for outcome in sorted(outcomes, key=lambda outcome: outcome.passed, reverse=True):
        verdict = "ok" if outcome.passed else "FAILED"
        hint = "" if outcome.passed or not outcome.step.mend else f"  → {outcome.step.mend}"
        print(f"  {outcome.step.name:<12} {verdict:<7} {outcome.seconds:6.1f} s{hint}")
    print(f"  {'all':<12} {'':<7} {seconds:6.1f} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
