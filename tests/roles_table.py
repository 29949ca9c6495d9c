"""`docs/roles.md` from the tables in the code: run this module to write it anew."""

from pathlib import Path

from telecare.access.model import GRANTABLE, PERMISSIONS, Permission, Role
from telecare.app import ROUTES
from telecare.runtime.http import OWN

FILE = Path(__file__).resolve().parents[1] / "docs" / "roles.md"
HEAD = """# Roles

Who may do what. Made from `telecare/access/model.py` and the route table by
`python -m tests.roles_table`; a test compares them, and another asks every route as every role.

A role is given in a care unit, with an optional end that works at the minute; `nattillsyn` needs
the date of training and an end. Besides a role, most of what touches a resident needs an
assignment or a shift in her unit, and what shows her needs consent (`docs/privacy.md`).
"""


def written() -> str:
    lines = [HEAD, "| role | may | may give |", "|---|---|---|"]
    for role in Role:
        may = ", ".join(p for p in Permission if p in PERMISSIONS[role])
        gives = ", ".join(r for r in Role if r in GRANTABLE.get(role, ()))
        lines.append(f"| {role} | {may} | {gives or 'nothing'} |")
    lines += ["", "| permission | routes |", "|---|---|"]
    for permission in [*Permission, OWN]:
        found = [f"`{r.method} {r.path}`" for r in of(permission)]
        lines.append(f"| {permission} | {' · '.join(found) or '(none yet)'} |")
    return "\n".join(lines) + "\n"


def of(permission: str):
    return [r for r in ROUTES if r.who.startswith("staff") and r.permission == permission]


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
