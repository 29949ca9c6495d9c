"""What ruff cannot see: SQL outside stores, vague names, personal data in the log."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from telecare.runtime.log import FIELDS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*(ROOT / "telecare").rglob("*.py"), *(ROOT / "edge").rglob("*.py")])
VAGUE = {"utils", "helpers", "common", "misc", "manager", "data", "info", "base", "handlers"}
SQL = re.compile(r"\s*(select|insert into|update|delete from|with)\s+\S+", re.IGNORECASE)
OWN_SQL = {"migrate.py", "db.py", "timers.py", "append.py", "services.py", "app.py", "outbox.py"}
"""Besides stores: the runtime's own tables, and the log's one function."""
PERSONAL = {"name", "given_name", "address", "phone", "note", "sdp", "body", "payload", "words"}


def names(path):
    return [pytest.param(p, id=str(p.relative_to(ROOT))) for p in path]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", names(SOURCES))
def test_sql_lives_in_stores(path):
    if path.stem.split("_")[-1] == "store" or path.name in OWN_SQL or "bench" in path.parts:
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value.strip()
            looks = SQL.match(text) and ("from " in text or " set " in text or "into " in text)
            assert not (looks and text.islower()), f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("path", names(SOURCES))
def test_names_say_something(path):
    assert path.stem not in VAGUE
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            assert not node.name.endswith(("Manager", "Handler", "Helper", "Utils")), node.name


@pytest.mark.parametrize("path", names(SOURCES))
def test_the_log_is_given_listed_fields_only(path):
    for node in ast.walk(tree(path)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "log"):
            continue
        for keyword in node.keywords:
            if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
                keys = {k.value for k in keyword.value.keys if isinstance(k, ast.Constant)}
                assert not keys & PERSONAL
                if "edge" not in path.parts:
                    assert keys <= FIELDS, f"{path.name}:{node.lineno} {keys - FIELDS}"


@pytest.mark.parametrize("path", names(SOURCES))
def test_every_module_says_what_it_is_for(path):
    module = tree(path)
    if module.body:
        assert ast.get_docstring(module), path


@pytest.mark.parametrize("path", names(SOURCES))
def test_tasks_are_born_in_groups(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            assert node.attr != "ensure_future", path
            owner = node.value
            if node.attr == "create_task" and isinstance(owner, ast.Name):
                assert owner.id != "asyncio", f"{path.name}:{node.lineno}"
