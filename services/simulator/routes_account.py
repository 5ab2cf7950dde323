"""What else is there under /v1? The account, its webhook secret, and the hardware."""

from starlette.requests import Request
from starlette.responses import Response

from simulator.json_bodies import Json
from simulator.parts import simulator_of

HARDWARE = (
    ("CPU", "cpu"),
    ("Nvidia T4 GPU", "gpu-t4"),
    ("Nvidia L40S GPU", "gpu-l40s"),
    ("Nvidia A100 (80GB) GPU", "gpu-a100-large"),
    ("Nvidia H100 GPU", "gpu-h100"),
)


async def account(request: Request) -> Response:
    return Json(
        {
            "type": "organization",
            "username": "simulator",
            "name": "Simulated account",
            "github_url": None,
            "avatar_url": None,
            "simulated": True,  # which Replicate does not say: the page warns by it
        }
    )


async def hardware(request: Request) -> Response:
    return Json([{"name": name, "sku": sku} for name, sku in HARDWARE])


async def webhook_secret(request: Request) -> Response:
    return Json({"key": simulator_of(request).webhooks.secret})
