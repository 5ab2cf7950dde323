"""How was the recording in the README made?

    python -m tools.record_cli docs/images/generate.svg [--server HOST:PORT]

Runs the README's `mediagen generate` against a running stack in a terminal of 100 columns, and
writes what it showed, at the pace at which it showed it, as an SVG that plays in a browser. The
result's file is kept beside the SVG.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import struct
import sys
import termios
import time
from html import escape
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
COLUMNS, ROWS = 100, 14
WORDS = ["generate", "a beautiful sunset", "--model", "black-forest-labs/flux-schnell"]
TYPED = '$ mediagen generate "a beautiful sunset" --model black-forest-labs/flux-schnell \\'
TYPED_ON = "    --watch -o sunset.webp"
NEW_LINE = "\r\x1b[2K"  # the command draws its progress line anew
END_OF_PROGRESS = "\x1b[?25h"
CELL, LINE, LEFT, TOP = 8.43, 20, 16, 44
LAST_FRAME_SHOWN = 6.0
LEAST_APART = 0.3

Frame = tuple[float, list[str]]


def record(command: list[str], folder: Path) -> list[tuple[float, str]]:
    """What the command wrote, each piece with its seconds since the start."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(ROWS))
        os.execv(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    began, pieces = time.monotonic(), []
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is gone
            break
        if not piece:
            break
        pieces.append((time.monotonic() - began, piece.decode()))
    _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit("".join(text for _, text in pieces))
    return pieces


def frames(pieces: list[tuple[float, str]]) -> list[Frame]:
    """The screen's lines at each moment worth a frame."""
    found: list[Frame] = [(0.0, [TYPED, TYPED_ON])]
    whole = ""
    for moment, text in pieces:
        whole += text
        head, _, live = whole.rpartition(NEW_LINE)
        if END_OF_PROGRESS in whole:
            result = whole.partition(END_OF_PROGRESS)[2].partition("\x1b[2K")[2]
            lines = [_first_line(whole), *result.splitlines()]
        else:
            lines = [_first_line(head or whole), live if head else ""]
        last = moment - found[-1][0] < LEAST_APART and END_OF_PROGRESS not in whole
        if not last:
            found.append((moment, [TYPED, TYPED_ON, *lines]))
    return found


def _first_line(text: str) -> str:
    return text.partition("\r\n")[0]


def svg(shown: list[Frame]) -> str:
    """The frames one over the other, each visible in its own time."""
    total = shown[-1][0] + LAST_FRAME_SHOWN
    width, height = round(LEFT * 2 + COLUMNS * CELL), TOP + 9 * LINE
    ends = [moment for moment, _ in shown[1:]] + [total]
    styles, groups = [], []
    for number, ((begin, lines), end) in enumerate(zip(shown, ends, strict=True)):
        first, after = 100 * begin / total, 100 * end / total
        hidden = f"0%{{opacity:0}}{first:.2f}%{{opacity:1}}" if number else "0%{opacity:1}"
        gone = f"{after:.2f}%{{opacity:0}}" if number < len(shown) - 1 else ""
        styles.append(f"@keyframes f{number}{{{hidden}{gone}}}")
        # Without animation the last frame alone is seen.
        still = 1 if number == len(shown) - 1 else 0
        style = f"opacity:{still};animation:f{number} {total:.1f}s step-end infinite"
        rows = "".join(_row(line, place) for place, line in enumerate(lines))
        groups.append(f'<g style="{style}">{rows}</g>')
    dots = "".join(
        f'<circle cx="{20 + 18 * place}" cy="18" r="5.5" fill="{colour}"/>'
        for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'aria-label="mediagen generate shows its stages, then the file that it saved">\n'
        f"<style>text{{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#d7dae0;"
        f"white-space:pre}}{''.join(styles)}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#16181d"/>{dots}\n'
        + "\n".join(groups)
        + "\n</svg>\n"
    )


def _row(line: str, place: int) -> str:
    console = Console(width=COLUMNS, color_system="truecolor")
    spans, column = [], 0
    for segment in Text.from_ansi(line).render(console):
        if (words := segment.text.rstrip("\n")) == "":
            continue
        colour = ""
        if segment.style and segment.style.color:
            colour = f' fill="{segment.style.color.get_truecolor().hex}"'
        elif segment.style and segment.style.dim:
            colour = ' fill="#8b909a"'
        at = LEFT + column * CELL
        spans.append(
            f'<tspan x="{at:.1f}" textLength="{len(words) * CELL:.1f}"{colour}>'
            f"{escape(words)}</tspan>"
        )
        column += len(words)
    return f'<text y="{TOP + 12 + place * LINE}">{"".join(spans)}</text>' if spans else ""


def main() -> None:
    """Record, and write the SVG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--server", default="localhost:50051")
    options = parser.parse_args()
    target: Path = options.target.resolve()
    mediagen = str(Path(sys.executable).with_name("mediagen"))
    command = [mediagen, *WORDS, "--watch", "-o", "sunset.webp", "--server", options.server]
    shown = frames(record(command, target.parent))
    target.write_text(svg(shown))
    print(f"{target}: {len(shown)} frames, {shown[-1][0]:.1f} s")


if __name__ == "__main__":
    main()
