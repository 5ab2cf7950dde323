"""What does a person need to know once everything runs?"""

import os

from .stack import Plan


def banner(plan: Plan, seconds: float) -> str:
    """Addresses, a request to copy, where the logs are, how safe this is."""
    settings = plan.settings
    edge = f"http://localhost:{settings.edge_port}"
    provider = "Replicate itself: runs are BILLED to your account"
    if settings.simulated:
        provider = (
            f"simulator, {plan.simulator_url.replace('127.0.0.1', 'localhost')} (costs nothing)"
        )
    elif settings.replicate_base_url:
        provider = settings.replicate_base_url
    model = "black-forest-labs/flux-schnell"
    body = f'{{"prompt": "a beautiful sunset", "model": "{model}"}}'
    server = (
        "" if settings.gateway_port == 50051 else f"MEDIAGEN_SERVER={plan.gateway_addresses[0]} "
    )
    lines = [
        f"mediagen is ready after {seconds:.0f} s",
        "",
        f"  web page     http://localhost:{settings.web_port}   and   {edge}/",
        f"  API          {edge}/api/v1   docs: {edge}/docs   {edge}/redoc",
        f"  gRPC         localhost:{settings.gateway_port}   (reflection on; the edge has it too)",
        f"  provider     {provider}",
        f"  database     {'private Postgres' if plan.postgres else 'as DATABASE_URL says'}",
        f"  broker       {'private RabbitMQ' if plan.rabbitmq else 'as AMQP_URL says'}",
        f"  metrics      {'   '.join(plan.metrics_urls)}",
        f"  logs         {settings.state_dir / 'logs'}",
        "",
        "Try it:",
        "",
        f"  curl {edge}/api/v1/generate -H 'content-type: application/json' \\",
        f"    -d '{body}'",
        "",
        f'  {server}.venv/bin/mediagen generate "a beautiful sunset" --model {model} \\',
        "    --watch -o sunset.webp",
        "",
        f"Ctrl-C stops it; from elsewhere: kill {os.getpid()}.",
        "Below come problems, and the end of each run. Everything else is in the logs.",
        "Development mode: open to everyone on this machine, loopback only.",
    ]
    width = max(map(len, lines))
    rule = "─" * width
    return "\n".join(["", rule, *lines, rule, ""])
