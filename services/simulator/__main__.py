"""How is the simulator started? `python -m simulator [--fault NAME[@OP][=ARG][:COUNT|:PROB]]…`"""

import asyncio
import signal
import sys

from pydantic import ValidationError

from simulator.app import build
from simulator.fault_kinds import KINDS
from simulator.faults import FaultError, FaultRule, rule_from_text
from simulator.server import listening_socket, serve, server_for
from simulator.settings import Settings

USAGE = """usage: python -m simulator [--fault NAME[@OPERATION][=ARG][:COUNT|:PROBABILITY]]...

A look-alike of Replicate's API. Settings come from the environment:
{settings}

Faults (also at run time: GET, PUT, POST and DELETE /_simulator/faults):
{faults}
"""


def usage() -> str:
    settings = "\n".join(
        f"  SIMULATOR_{name.upper():18} {field.description}"
        for name, field in Settings.model_fields.items()
    )
    faults = "\n".join(
        f"  {kind.name + (f'={kind.default}' if kind.default else ''):35} {kind.does}"
        + (f" ({kind.argument})" if kind.argument else "")
        for kind in KINDS
    )
    return USAGE.format(settings=settings, faults=faults)


def read_arguments(arguments: list[str]) -> tuple[list[FaultRule], list[str]]:
    """The faults asked for, and every problem found."""
    rules: list[FaultRule] = []
    problems: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, text = argument.partition("=")
        if name != "--fault":
            problems.append(f"unknown argument {argument!r}")
            continue
        try:
            rules.append(rule_from_text(text if equals else next(waiting, "")))
        except FaultError as error:
            problems.append(str(error))
    return rules, problems


async def run(settings: Settings, rules: list[FaultRule]) -> None:
    app, simulator = build(settings, faults=rules)
    listener = listening_socket(settings.host, settings.port)
    server = server_for(app, simulator)

    def stop() -> None:
        server.should_exit = True

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop)
    port = listener.getsockname()[1]
    print(f"simulator: Replicate's API on http://{settings.host}:{port}/v1", flush=True)
    try:
        await serve(server, listener)
    finally:
        await simulator.webhooks.close()


def main() -> int:
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(usage())
        return 0
    rules, problems = read_arguments(sys.argv[1:])
    settings: Settings | None = None
    try:
        settings = Settings()
    except ValidationError as error:
        for wrong in error.errors():
            name = "_".join(str(part) for part in wrong["loc"]).upper()
            problems.append(f"SIMULATOR_{name}: {wrong['msg']}")
    if problems or settings is None:
        print("\n".join(f"simulator: {text}" for text in problems), file=sys.stderr)
        return 2
    try:
        asyncio.run(run(settings, rules))
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        print(f"simulator: cannot listen on {where}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
