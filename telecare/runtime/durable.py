"""Files that are whole, or as they were before, whatever happens while they are written."""

import os
from pathlib import Path


def write_durably(file: Path, text: str) -> None:
    """On disk before this returns, its name in the folder too."""
    new = file.with_name(f"{file.name}.new")
    with new.open("w", encoding="utf-8") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
