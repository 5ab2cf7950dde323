"""How does a container that speaks plain http to its own machine only reach the simulator?

    python -m simulator.doorway 9900 simulator:9900

Listens on 127.0.0.1:9900 and hands every connection on to simulator:9900. For docker compose, where
both are machines of their own.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio import StreamReader, StreamWriter

PIECE = 64 * 1024


async def listen(port: int, host: str, target_port: int) -> asyncio.Server:
    """Hands on what comes to 127.0.0.1:*port*; port 0 takes any free one."""

    async def hand_on(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            there, answers = await asyncio.open_connection(host, target_port)
        except OSError as error:
            print(f"doorway: {host}:{target_port}: {error}", file=sys.stderr, flush=True)
            writer.close()
            return
        await asyncio.gather(_copy(reader, answers), _copy(there, writer))

    return await asyncio.start_server(hand_on, "127.0.0.1", port)


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    """Until one side ends; the other is then told."""
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def run(port: int, target: str) -> None:
    """Until it is killed."""
    host, _, target_port = target.rpartition(":")
    async with await listen(port, host, int(target_port)) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), sys.argv[2]))
