"""A file of residents or staff (CSV): its columns, and what would become of each row. Pure.

Comma or semicolon; the first row names the columns, in Swedish, in any order (RFC 4180).
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, TypeVar

from telecare.access.model import Role
from telecare.people.model import Hearing, Priority
from telecare.people.national_id import NationalId, NationalIdWrong, read_national_id
from telecare.runtime.clock import from_local
from telecare.runtime.errors import TelecareError
from telecare.wire.errors import Code
from telecare.wire.signalling import Language

MAX_ROWS = 10_000
MAX_CELL = 200
Kind = Literal["residents", "staff"]
Fate = Literal["added", "known", "twice", "wrong"]
"""`known`: registered already; `twice`: stands higher up in the file; `wrong`: see `field`."""

COLUMNS: dict[Kind, tuple[str, ...]] = {
    "residents": (
        "namn", "tilltalsnamn", "personnummer", "adress", "telefon", "språk", "hörsel",
        "prioritet", "att veta",
    ),
    "staff": ("namn", "roll", "språk", "slutar"),
}  # fmt: skip
LANGUAGES: dict[str, Language] = {"": "sv", "svenska": "sv", "finska": "fi", "engelska": "en"}
HEARING: dict[str, Hearing] = {
    "": "good",
    "bra": "good",
    "hörapparat": "aid",
    "dåligt": "hard",
    "döv": "deaf",
}
PRIORITIES: dict[str, Priority] = {"": 2, "1": 1, "2": 2, "3": 3}
ROLES = {
    "omsorgspersonal": Role.OMSORGSPERSONAL,
    "samordnare": Role.SAMORDNARE,
    "larmmottagare": Role.LARMMOTTAGARE,
}
"""Nattillsyn is given to one at a time, with the day she was trained."""


class FileNotUtf8(TelecareError):
    status = 422
    code = Code.FILE_NOT_UTF8


class FileTooLong(TelecareError):
    status = 422
    code = Code.FILE_TOO_LONG


class FileColumns(TelecareError):
    """A column is missing, unknown or there twice."""

    status = 422
    code = Code.FILE_COLUMNS


class FileEmpty(TelecareError):
    status = 422
    code = Code.FILE_EMPTY


@dataclass(frozen=True, slots=True)
class ResidentRow:
    name: str
    given_name: str
    national_id: NationalId | None
    address: str
    phone: str
    language: Language
    hearing: Hearing
    priority: Priority
    to_know: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StaffRow:
    name: str
    role: Role
    language: Language
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReadRow:
    """Row `n` of the file (the headings are row 1), as read; `field` is the column at fault."""

    n: int
    name: str
    row: ResidentRow | StaffRow | None
    field: str = ""


class CellWrong(Exception):
    """What stands in a column cannot be used."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


def read_file(
    content: bytes, kind: Kind, today: date, part: slice = slice(None)
) -> Sequence[ReadRow]:
    """Every row of `part`, in order. Raises FileNotUtf8, FileTooLong, FileColumns, FileEmpty."""
    rows = read_table(content, COLUMNS[kind], ("namn",), MAX_ROWS)
    make = _resident if kind == "residents" else _staff
    return [_read(row.n, row.cells, make, today, is_whole=row.is_whole) for row in rows[part]]


@dataclass(frozen=True, slots=True)
class TableRow:
    """Row `n` of a file (the headings are row 1); not whole: more or fewer cells than headings."""

    n: int
    cells: Mapping[str, str]
    is_whole: bool


def read_table(
    content: bytes, columns: Sequence[str], needed: Sequence[str], most: int
) -> Sequence[TableRow]:
    """The rows of a file with these columns, of which those `needed` must be there.

    Raises FileNotUtf8, FileTooLong, FileColumns, FileEmpty.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileNotUtf8("file") from error
    if "\0" in text:
        raise FileNotUtf8("file")
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") >= first.count(",") else ","
    try:
        lines = _lines(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), most)
    except csv.Error as error:
        raise FileColumns("file") from error
    headings = [cell.strip().lower() for cell in lines[0]] if lines else []
    if (
        set(headings) - set(columns)
        or set(needed) - set(headings)
        or len(set(headings)) != len(headings)
    ):
        raise FileColumns("file")
    if len(lines) == 1:
        raise FileEmpty("file")
    return [
        TableRow(
            n,
            dict(zip(headings, (cell.strip() for cell in line), strict=False)),
            len(line) == len(headings),
        )
        for n, line in enumerate(lines[1:], 2)
    ]


def _lines(reader: Iterator[list[str]], most: int) -> list[list[str]]:
    lines: list[list[str]] = []
    for line in reader:
        if any(cell.strip() for cell in line):
            lines.append(line)
        if len(lines) > most + 1:
            raise FileTooLong("file")
    return lines


Choice = TypeVar("Choice")
Make = Callable[[Mapping[str, str], date], "ResidentRow | StaffRow"]


def _read(n: int, cells: Mapping[str, str], make: Make, today: date, *, is_whole: bool) -> ReadRow:
    name = cells.get("namn", "")[:MAX_CELL]
    if not is_whole:
        return ReadRow(n, name, None, "file")
    for column, cell in cells.items():
        if len(cell) > MAX_CELL:
            return ReadRow(n, name, None, column)
    try:
        return ReadRow(n, name, make(cells, today))
    except CellWrong as wrong:
        return ReadRow(n, name, None, wrong.column)


def _resident(cells: Mapping[str, str], today: date) -> ResidentRow:
    name = _name(cells)
    typed = cells.get("personnummer", "")
    try:
        national_id = read_national_id(typed, today) if typed else None
    except NationalIdWrong as error:
        raise CellWrong("personnummer") from error
    return ResidentRow(
        name=name,
        given_name=cells.get("tilltalsnamn", "") or name.split()[0],
        national_id=national_id,
        address=cells.get("adress", ""),
        phone=cells.get("telefon", ""),
        language=_of(LANGUAGES, cells, "språk"),
        hearing=_of(HEARING, cells, "hörsel"),
        priority=_of(PRIORITIES, cells, "prioritet"),
        to_know=(cells["att veta"],) if cells.get("att veta") else (),
    )


def _staff(cells: Mapping[str, str], today: date) -> StaffRow:
    typed = cells.get("slutar", "")
    try:
        last_day = date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise CellWrong("slutar") from error
    if last_day is not None and last_day < today:
        raise CellWrong("slutar")
    ends_at = None
    if last_day is not None:
        evening = datetime(last_day.year, last_day.month, last_day.day, 23, 59)  # noqa: DTZ001
        ends_at = from_local(evening)
    role = _of(ROLES, {"roll": "omsorgspersonal", **_given(cells)}, "roll")
    return StaffRow(_name(cells), role, _of(LANGUAGES, cells, "språk"), ends_at)


def _given(cells: Mapping[str, str]) -> Mapping[str, str]:
    return {column: cell for column, cell in cells.items() if cell}


def _name(cells: Mapping[str, str]) -> str:
    if not cells.get("namn"):
        raise CellWrong("namn")
    return cells["namn"]


def _of(choices: Mapping[str, Choice], cells: Mapping[str, str], column: str) -> Choice:
    try:
        return choices[cells.get(column, "").lower()]
    except KeyError as error:
        raise CellWrong(column) from error
