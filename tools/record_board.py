"""How was the picture of `mediagen watch --all` in the README made?

    python -m tools.record_board docs/images/watch-all.svg [--server HOST:PORT]

Submits some jobs to a running stack, follows all jobs as the command does, and writes the table
once some jobs have ended, some run and some wait.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time
from contextlib import aclosing
from pathlib import Path

from rich.console import Console

import mediagen
from mediagen.cli.board import Board
from mediagen.cli.board_page import board_page
from mediagen.v1.job_pb2 import Job

COLUMNS, ROWS = 120, 26
JOBS = (
    ("black-forest-labs/flux-schnell", "a lighthouse in a storm, oil on canvas"),
    ("black-forest-labs/flux-schnell", "a beautiful sunset"),
    ("stability-ai/stable-diffusion-3.5-large", "a fox reading the newspaper"),
    ("black-forest-labs/flux-dev", "the plan of a city that was never built"),
)
SUBMITTED = 24
LONGEST = 120.0


def _worth_showing(counts: dict[int, int]) -> bool:
    ended = sum(n for state, n in counts.items() if state >= Job.STATE_COMPLETED)
    return bool(ended >= 2 and counts[Job.STATE_RUNNING] >= 3 and counts[Job.STATE_PENDING] >= 3)


async def follow(server: str, console: Console) -> None:
    """Prints the table to *console* at the first moment that is worth it."""
    board = Board()
    async with mediagen.Client(server) as client, asyncio.timeout(LONGEST):
        async with aclosing(client.watch_jobs()) as events:
            submitting = asyncio.create_task(_submit(client))
            async for event in events:
                board.take(event, time.monotonic())
                moving = any(
                    row.job.progress_percent for row in board.rows(time.monotonic(), ROWS - 4)
                )
                if submitting.done() and moving and _worth_showing(board.counts()):
                    break
            await submitting
        console.print(board_page(board, console, time.monotonic()))


async def _submit(client: mediagen.Client) -> None:
    for number in range(SUBMITTED):
        model, prompt = JOBS[number % len(JOBS)]
        await client.submit(prompt, model=model)


def main() -> None:
    """Record, and write the SVG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--server", default="localhost:50051")
    options = parser.parse_args()
    console = Console(width=COLUMNS, height=ROWS, record=True, force_terminal=True)
    asyncio.run(follow(options.server, console))
    drawn = console.export_svg(title="mediagen watch --all")
    # Fonts from elsewhere: a picture asks nobody for anything.
    options.target.write_text(re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL))


if __name__ == "__main__":
    main()
