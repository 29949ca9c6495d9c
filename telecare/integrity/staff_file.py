"""Files of staff's own data (CSV): columns, and each row read or refused. Pure.

A row begins with the id from the portal's own template: names are not unique. What cannot be used
is named by row, column and code; nothing of the file's own values is repeated.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from telecare.integrity.rules import StaffRule
from telecare.integrity.street import Street, read_street
from telecare.people.national_id import NationalId, NationalIdWrong, read_national_id
from telecare.people.people_file import FileTooLong, TableRow, read_table
from telecare.runtime.clock import from_local
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.ids import StaffId

MOST_ROWS = 50_000
MOST_CHARACTERS = 200
MOST_TOLD = 50
"""Rows at fault that are told of at a time."""
YEARS = range(2000, 2100)
LONGEST_SHIFT_S = 48 * 3600

WHO = ("id", "namn", "enhet")
COLUMNS: Mapping[StaffRule, tuple[str, ...]] = {
    StaffRule.SAME_ADDRESS: ("adress", "postnummer"),
    StaffRule.REGISTERED_RELATIVE: ("personnummer", "relation"),
    StaffRule.OUTSIDE_ROSTER: ("från", "till"),
}
NEEDED: Mapping[StaffRule, tuple[str, ...]] = {**COLUMNS, StaffRule.SAME_ADDRESS: ("adress",)}
Relation = Literal["self", "relative"]
RELATIONS: dict[str, Relation] = {"själv": "self", "anhörig": "relative"}


class StaffFileRows(TelecareError):
    """Some rows cannot be used: `ROW COLUMN CODE` each, the first of them. Nothing was kept."""

    status = 422
    code = Code.STAFF_FILE_ROWS


class StaffFileTooLong(TelecareError):
    """More rows than are taken at once."""

    status = 422
    code = Code.STAFF_FILE_TOO_LONG


@dataclass(frozen=True, slots=True)
class Lives:
    street: Street


@dataclass(frozen=True, slots=True)
class Kin:
    relation: Relation
    national_id: NationalId


@dataclass(frozen=True, slots=True)
class Rostered:
    since: datetime
    until: datetime


Told = Lives | Kin | Rostered


class _Wrong(Exception):
    def __init__(self, column: str, code: Code) -> None:
        super().__init__(column, code)
        self.column = column
        self.code = code


def read_staff_file(
    content: bytes, rule: StaffRule, staff: Mapping[UUID, StaffId], today: date
) -> Sequence[tuple[StaffId, Told]]:
    """All rows, or none. `staff`: those who can be meant.

    Raises FileNotUtf8, StaffFileTooLong, FileColumns, FileEmpty, StaffFileRows.
    """
    columns = (*WHO, *COLUMNS[rule])
    try:
        rows = read_table(content, columns, ("id", *NEEDED[rule]), MOST_ROWS)
    except FileTooLong as error:
        raise StaffFileTooLong("file") from error
    read: list[tuple[StaffId, Told]] = []
    wrong: list[str] = []
    for row in rows:
        try:
            read.append((_staff(row, staff), _READ[rule](row.cells, today)))
        except _Wrong as error:
            wrong.append(f"{row.n} {error.column} {error.code}")
    if wrong:
        raise StaffFileRows(*wrong[:MOST_TOLD])
    return read


def _staff(row: TableRow, staff: Mapping[UUID, StaffId]) -> StaffId:
    if not row.is_whole or any(len(cell) > MOST_CHARACTERS for cell in row.cells.values()):
        raise _Wrong("-", Code.STAFF_ROW_WIDTH)
    try:
        return staff[UUID(row.cells["id"])]
    except (ValueError, KeyError):
        raise _Wrong("id", Code.STAFF_ROW_UNKNOWN) from None


def _lives(cells: Mapping[str, str], today: date) -> Told:
    del today
    street = read_street(cells["adress"], cells.get("postnummer", ""))
    if street is None:
        raise _Wrong("adress", Code.STAFF_ROW_MISSING)
    return Lives(street)


def _kin(cells: Mapping[str, str], today: date) -> Told:
    relation = RELATIONS.get(cells["relation"].lower())
    if relation is None:
        raise _Wrong("relation", Code.STAFF_ROW_RELATION)
    try:
        return Kin(relation, read_national_id(cells["personnummer"], today))
    except NationalIdWrong:
        raise _Wrong("personnummer", Code.NATIONAL_ID_WRONG) from None


def _rostered(cells: Mapping[str, str], today: date) -> Told:
    del today
    since, until = _moment(cells, "från"), _moment(cells, "till")
    if not 0 < (until - since).total_seconds() <= LONGEST_SHIFT_S:
        raise _Wrong("till", Code.STAFF_ROW_TIME)
    return Rostered(since, until)


def _moment(cells: Mapping[str, str], column: str) -> datetime:
    """As told in Sweden, without a zone."""
    try:
        typed = datetime.fromisoformat(cells[column])
    except ValueError:
        raise _Wrong(column, Code.STAFF_ROW_TIME) from None
    if typed.tzinfo is not None or typed.year not in YEARS:
        raise _Wrong(column, Code.STAFF_ROW_TIME)
    return from_local(typed)


_READ: Mapping[StaffRule, Callable[[Mapping[str, str], date], Told]] = {
    StaffRule.SAME_ADDRESS: _lives,
    StaffRule.REGISTERED_RELATIVE: _kin,
    StaffRule.OUTSIDE_ROSTER: _rostered,
}


def template(rule: StaffRule, staff: Sequence[tuple[StaffId, str, str]]) -> str:
    """A file to fill in: everybody's id, name and unit, and empty columns."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow((*WHO, *COLUMNS[rule]))
    for staff_id, name, unit in staff:
        writer.writerow((str(staff_id), name, unit, *("" for _ in COLUMNS[rule])))
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + written.getvalue()
