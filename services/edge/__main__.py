"""Render Envoy's configuration from the environment and run Envoy with it."""

import asyncio
import sys

from edge.config import write_config
from edge.process import admin_socket_path, run_envoy
from edge.settings import EdgeSettings
from servicekit.settings import load


def main() -> int:
    """Envoy's exit status; settings that cannot work end with status 2 before it starts."""
    settings = load(EdgeSettings)
    settings.folder.mkdir(parents=True, exist_ok=True)
    admin_socket = admin_socket_path(settings.folder)
    config = write_config(settings, admin_socket)
    return asyncio.run(run_envoy(config, admin_socket, settings.edge_drain_seconds))


if __name__ == "__main__":
    sys.exit(main())
