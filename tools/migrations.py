"""Are the migrations and the tables in the code equal? On a private Postgres of its own.

python -m tools.migrations        exits with 1, and says what differs, if they are not
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from devstack.testing import postgres_server, scrub_environment
from store.adapters.migrate import differences, upgrade


async def found(url: str) -> list[object]:
    """What differs once every migration has run on the empty database at *url*."""
    await upgrade(url)
    return await differences(url)


def main() -> int:
    scrub_environment()
    with tempfile.TemporaryDirectory() as folder, postgres_server(Path(folder)) as server:
        lines = asyncio.run(found(server.create_database()))
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
