"""Where the pages' sources are, and what a page loads."""

import json
import re
from pathlib import Path

TELECARE = Path(__file__).resolve().parents[2] / "telecare"
STATIC = TELECARE / "web" / "static"
TEMPLATES = TELECARE / "web" / "templates"
LOCALE = TELECARE / "locale"
LANGUAGES = ("sv", "fi", "en")
IMPORT = re.compile(r"""^(?:import|export)[^;]*?from\s+["'](\.[^"']+)["'];""", re.MULTILINE)


def catalogue(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((LOCALE / f"{language}.json").read_text("utf-8"))
    return texts


def modules_of(entry: str) -> set[Path]:
    """The entry module under static/js and everything it imports."""
    found: set[Path] = set()
    todo = [STATIC / "js" / entry]
    while todo:
        module = todo.pop().resolve()
        if module in found:
            continue
        found.add(module)
        if module.parent.name != "lib":
            text = module.read_text("utf-8")
            todo += [module.parent / name for name in IMPORT.findall(text)]
    return found


def own_scripts(*folders: str) -> list[Path]:
    """Our own modules in folders of static/js (all, without any)."""
    root = STATIC / "js"
    roots = [root / folder for folder in folders] if folders else [root]
    return sorted(p for one in roots for p in one.rglob("*.js") if p.parent.name != "lib")
