"""QR codes (ISO/IEC 18004): a path for SVG, lines for a terminal. The only user of segno."""

import io
from dataclasses import dataclass

import segno

WHITE_ON_BLACK = "\x1b[97;40m"
PLAIN = "\x1b[0m"
"""ECMA-48 §8.3.117."""


@dataclass(frozen=True, slots=True)
class QrPath:
    """`path`: the dark modules, one unit each; `size`: units a side, without the quiet zone."""

    path: str
    size: int


def qr_path(content: str) -> QrPath:
    rows = segno.make(content, error="m", micro=False).matrix
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    return QrPath(path, len(rows))


def qr_lines(content: str) -> list[str]:
    """White on black whatever colours the terminal has: not every camera reads the reverse."""
    output = io.StringIO()
    segno.make(content, error="l", micro=False).terminal(output, border=2, compact=True)
    return [f"{WHITE_ON_BLACK}{line}{PLAIN}" for line in output.getvalue().splitlines()]
