"""`./dev test`: pytest, with `--slow` for the long ones.

The whole suite runs as two processes side by side: the flows mostly wait for browsers, and what the
others need of a second core they would leave idle.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

FLOWS = "tests/flows"
NOTHING_THERE = pytest.ExitCode.NO_TESTS_COLLECTED
"""Of one half, when a test was asked for by name."""


def main(arguments: list[str]) -> int:
    rest = [a for a in arguments if a != "--slow"]
    options = [] if "--slow" in arguments else ["-m", "not slow"]
    if any(Path(a.partition("::")[0]).exists() for a in rest):
        return pytest.main([*options, *rest])
    return side_by_side([*options, *rest])


def side_by_side(options: list[str]) -> int:
    """The flows speak as they go; what the others said comes after."""
    with tempfile.TemporaryFile() as said:
        others = subprocess.Popen(
            pytest_command("tests", f"--ignore={FLOWS}", *options),
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            flows = subprocess.run(pytest_command(FLOWS, *options), check=False)
            others.wait()
        finally:
            others.terminate()
            others.wait()
            said.seek(0)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
    codes = [flows.returncode, others.returncode]
    failed = [code for code in codes if code not in (pytest.ExitCode.OK, NOTHING_THERE)]
    return failed[0] if failed else min(codes)


def pytest_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
