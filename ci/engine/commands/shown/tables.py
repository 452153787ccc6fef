"""Tables of text: columns as wide as they need to be."""

from collections.abc import Sequence

from ci.engine.commands.shown.style import bold

_GAP = 3


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under bold titles; without titles, the rows alone."""
    shown = [*([titles] if titles else []), *rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))] if shown else []
    lines = []
    for position, row in enumerate(shown):
        heading = bool(titles) and position == 0
        *cells, last = row
        padded = [
            (bold(cell) if heading else cell) + " " * (width - len(cell) + _GAP)
            for cell, width in zip(cells, widths, strict=False)
        ]
        lines.append("".join(padded) + (bold(last) if heading else last))
    return "".join(f"{line.rstrip()}\n" for line in lines)
