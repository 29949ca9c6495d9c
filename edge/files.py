"""Files that only this unit reads."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Whole or not at all, on the disk, readable by this user only."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
