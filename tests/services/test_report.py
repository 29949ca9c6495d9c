"""The report of an extract, for people: it says what the records say, on a page and on paper."""

import json
from datetime import UTC, datetime

import pytest

from telecare.integrity import report_html, report_pdf
from telecare.integrity.extract_store import Kept
from telecare.integrity.report import About, Report, Seal, Shown

AT = datetime(2026, 11, 23, 9, 5, tzinfo=UTC)
STATUTE = "OSL 26 kap. 1 §"


def kept(n: int, event: str, *, name: str = "Maria Ek", what=None, basis=None, erased=False):
    texts = {
        "actor": json.dumps({"kind": "staff", "id": "1", "name": name, "unit_name": "Dagen"}),
        "what": json.dumps(what or {}),
        "basis": json.dumps(basis or {}),
    }
    entry = json.dumps({"at": "2026-11-23T09:05:00.000Z", "ev": event}).encode()
    return Kept(n, 1, n, entry, None if erased else b"s", {} if erased else texts, ())


def told(*records, withheld=None, **about) -> Report:
    made = About(
        **{
            "whose": "Ingrid Lindqvist", "is_hers": True, "municipality": "Norrvika", "case": "7",
            "language": "sv", "numbers": (1, len(records)), "made_at": AT, "program_digest": "ab",
            **about,
        }
    )  # fmt: skip
    shown = [Shown.of(one, (withheld or {}).get(one.n, {})) for one in records]
    return Report.of(made, shown, [Seal("prov.example/a/audit/1", "0123", [], [])])


def fact(made: Report, name: str) -> str:
    return dict(made.facts)[name]


LIT = {"call_id": "c1", "home_picture": True}
DARK = {"call_id": "c2", "home_picture": False}
LOOKS = "Gånger bild från hemmet öppnades"


def test_a_look_is_a_call_in_which_her_picture_was_opened():
    made = told(
        kept(1, "call.rung", what={"call_id": "c1"}),
        kept(2, "call.opened", what=LIT),
        kept(3, "call.opened", what=DARK),
        kept(4, "call.rung", what={"call_id": "c3"}),
    )

    assert fact(made, LOOKS) == "1"
    notes = [row.notes for row in made.days[0].rows]
    assert [bool(one) for one in notes] == [False, False, False, True]
    assert "Räknas inte som en gång någon såg in." in notes[3][0]


def test_where_what_was_done_is_withheld_looks_are_counted_as_at_least():
    made = told(
        kept(1, "call.opened", what=LIT),
        kept(2, "call.opened", what=LIT),
        withheld={2: {"what": STATUTE}},
    )

    assert fact(made, LOOKS).startswith("1 bland de händelser som visas")


def test_a_withheld_section_is_not_shown_but_said_to_be_withheld():
    made = told(kept(1, "card.read"), withheld={1: {"actor": STATUTE}})

    row = made.days[0].rows[0]
    assert row.who == ""
    assert row.notes == [f"Vem: hemlighållet enligt {STATUTE}."]
    assert "Maria" not in report_html.page(made)


def test_an_erased_record_keeps_its_number_and_says_that_it_is_erased():
    made = told(kept(1, "card.read"), kept(2, "card.read", erased=True))

    assert [row.number for row in made.days[0].rows] == [1, 2]
    assert made.days[0].rows[1].notes == [
        "Texten är borttagen enligt ett beslut som står i loggen."
    ]
    assert fact(made, "Gallrade händelser") == "1"


def test_the_consent_that_was_rested_on_is_named_by_its_number():
    consent = {"consent_id": "k1", "purpose": "video_visit"}
    made = told(
        kept(1, "consent.given", what=consent),
        kept(2, "call.opened", what=LIT, basis={"consents": [{"consent_id": "k1"}]}),
    )

    assert "samtycke nummer 1" in made.days[0].rows[1].why


def test_without_a_witness_it_says_against_whom_it_proves_nothing():
    assert any("inte mot den som driver systemet" in one for one in told().proves)


@pytest.mark.parametrize("name", ["Łukasz Šimić", "Анна <b>", "ليلى", "Å & Ä"])
def test_any_name_goes_on_paper_and_stands_as_it_is_on_the_page(name):
    made = told(kept(1, "card.read", name=name))

    assert report_pdf.document(made).startswith(b"%PDF")
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert escaped in report_html.page(made)


def test_many_records_go_on_over_the_pages():
    assert (
        report_pdf.document(told(*(kept(n, "card.read") for n in range(1, 200)))).count(
            b"/Type /Page\n"
        )
        > 5
    )
