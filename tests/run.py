"""`./dev test`: pytest, with `--slow` for the long ones.

The whole suite runs as three processes side by side, two of them with every other module of the
flows: these mostly wait for browsers, and would leave the cores idle.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

FLOWS = "tests/flows"
NOTHING_THERE = pytest.ExitCode.NO_TESTS_COLLECTED
"""Of one part, when a test was asked for by name."""


def main(arguments: list[str]) -> int:
    rest = [a for a in arguments if a != "--slow"]
    options = [] if "--slow" in arguments else ["-m", "not slow"]
    if any(Path(a.partition("::")[0]).exists() for a in rest):
        return pytest.main([*options, *rest])
    modules = sorted(str(path) for path in Path(FLOWS).glob("test_*.py"))
    parts = [modules[::2], modules[1::2], ["tests", f"--ignore={FLOWS}"]]
    return side_by_side([[*part, *options, *rest] for part in parts])


def side_by_side(parts: Sequence[list[str]]) -> int:
    """The first speaks as it goes; what the others said comes after."""
    first, *others = parts
    with contextlib.ExitStack() as files:
        said = [files.enter_context(tempfile.TemporaryFile()) for _ in others]
        running = [
            subprocess.Popen(pytest_command(*part), stdout=heard, stderr=subprocess.STDOUT)
            for part, heard in zip(others, said, strict=True)
        ]
        try:
            codes = [subprocess.run(pytest_command(*first), check=False).returncode]
            codes += [other.wait() for other in running]
        finally:
            for other, heard in zip(running, said, strict=True):
                other.terminate()
                other.wait()
                heard.seek(0)
                sys.stdout.buffer.write(heard.read())
                sys.stdout.flush()
    failed = [code for code in codes if code not in (pytest.ExitCode.OK, NOTHING_THERE)]
    return failed[0] if failed else min(codes)


def pytest_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
