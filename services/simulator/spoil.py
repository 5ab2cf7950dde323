"""What does a request fault answer? One clause per fault, before or after a create.

What spoils the right answer to an exchange that was done is in `spoil_answer`.
"""

import math
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from simulator import problems
from simulator.parts import Simulator
from simulator.problems import InvalidField


async def spoil(sim: Simulator, request: Request, faults: Mapping[str, str]) -> Response | None:
    """The faulty answer to a request that then does nothing, or None to go on."""
    if {"drop", "drop_before_create"} & faults.keys():
        return await sim.hang_up(request)
    if {"html_502", "html_502_before_create"} & faults.keys():
        return problems.bad_gateway()
    if "500" in faults:
        return problems.server_error()
    if "401" in faults:
        return problems.unauthenticated()
    if "402" in faults:
        return problems.no_credit()
    if "429_with_retry_after" in faults:
        return problems.throttled(math.ceil(float(faults["429_with_retry_after"])))
    if "429_plain" in faults:
        return problems.throttled(1, current_form=False)
    for name, form in problems.THROTTLED.items():
        if name in faults:
            return form(math.ceil(float(faults[name])), sim.clock.now())
    if "status" in faults:
        return problems.of_status(int(float(faults["status"])))
    if "redirect" in faults:
        return RedirectResponse(faults["redirect"], status_code=302)
    if "422_input" in faults:
        name = faults["422_input"]
        return problems.invalid_input(
            [InvalidField("invalid_type", f"input.{name}", f"{name} was refused")]
        )
    if "422_version" in faults:
        return problems.invalid_version()
    if "low_credit" in faults and not sim.limits.low_credit.take(sim.clock.now()):
        return problems.low_credit(math.ceil(sim.limits.low_credit.wait()))
    return None


async def spoil_create(
    sim: Simulator, request: Request, faults: Mapping[str, str]
) -> Response | None:
    """The faulty answer to a create that did create, or None to go on (perhaps later)."""
    if "slow_create" in faults:
        await sim.clock.sleep_until(sim.clock.now() + float(faults["slow_create"]))
    if "drop_after_create" in faults:
        return await sim.hang_up(request)
    if "html_502_after_create" in faults:
        return problems.bad_gateway()
    return None
