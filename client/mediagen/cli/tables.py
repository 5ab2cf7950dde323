"""How is a table printed: fitted to a terminal, or one line of tab-separated cells for each row?

What reads a pipe wants every cell whole and nothing between cells that may also be in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

Cell = str | Text


@dataclass(frozen=True)
class Column:
    """One column. `width`: in characters; 0 takes what is left, None what the cells need.

    `most`: no wider than this, whatever the cells need. `folds`: cells that are too long go on
    below, instead of being cut.
    """

    title: str
    width: int | None = None
    most: int | None = None
    right: bool = False
    folds: bool = False


def show(
    console: Console, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], gap: int = 2
) -> None:
    """Prints titles and rows."""
    if not console.is_terminal:
        lines = [[column.title for column in columns], *rows]
        for cells in lines:
            print("\t".join(_flat(each) for each in cells), file=console.file)
        return
    rows = list(rows)
    widths = [_width(column, [row[place] for row in rows]) for place, column in enumerate(columns)]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, gap, 0, 0))
    taken = sum(width or 0 for width in widths) + gap * (len(columns) - 1)
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.title,
            no_wrap=not column.folds,
            overflow="fold" if column.folds else "ellipsis",
            width=max(8, console.width - taken) if width == 0 else width,
            justify="right" if column.right else "left",
        )
    for row in rows:
        table.add_row(*row)
    console.print(table, soft_wrap=False)


def _width(column: Column, cells: Sequence[Cell]) -> int | None:
    if column.width is not None or (column.folds and column.most is None):
        return column.width
    needed = max(len(str(each)) for each in (column.title, *cells))
    return min(needed, column.most or needed)


def _flat(cell: Cell) -> str:
    return " ".join(str(cell).split())
