"""`./dev test`: pytest, with `--slow` for the long ones."""

import sys

import pytest


def main(arguments: list[str]) -> int:
    slow = "--slow" in arguments
    rest = [a for a in arguments if a != "--slow"]
    return pytest.main([*([] if slow else ["-m", "not slow"]), *rest])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
