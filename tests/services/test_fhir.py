"""An extract in FHIR R4: what other systems read says what the extract shows, and nothing more."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.consent import Consent

from telecare.audit.actions import Action
from telecare.integrity import fhir
from telecare.integrity.fhir import About, Placed
from telecare.integrity.fhir_actions import TOLD
from telecare.integrity.records import Entered
from telecare.integrity.report import Shown
from telecare.wire.errors import Code
from tests.services.test_audit_story import Home, called, home, maria  # noqa: F401
from tests.services.test_extract import Desk
from tests.services.test_sequencer import Kept, files, kept, sequencer_database  # noqa: F401

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INGRID, MARIA, CALL, YES, NO, UNIT = (str(uuid.UUID(int=n)) for n in range(1, 7))
ABOUT = About(INGRID, "Ingrid Provsson", "Norrvika kommun", AT)
ACTORS = {
    "staff": {"kind": "staff", "channel": "console", "id": MARIA, "name": "Maria Ek",
              "roles": ["omsorgspersonal"], "unit_id": UNIT, "unit_name": "Dagen"},
    "home": {"kind": "home", "channel": "tv", "id": str(uuid.UUID(int=9)), "home_of": INGRID},
    "system": {"kind": "system", "channel": "timer", "id": "timer"},
    "operator": {"kind": "operator", "channel": "command_line", "id": "anna"},
    "nobody": {"kind": "nobody", "channel": "console", "id": "nobody"},
}  # fmt: skip
WHAT = {
    "call_id": CALL,
    "consent_id": YES,
    "code": "busy",
    "tried": "call.rung",
    "case": "2026-311",
}
BASIS = {"purpose": "video_visit", "board": "Nämnden", "consents": [{"consent_id": YES}]}
LAW = "OSL 26 kap. 1 §"
READ, WRITTEN = ("110152", "110153"), ("110153", "110152")
"""DCM 110152 Destination and 110153 Source: who asks, then our server."""


def record(event, n=1, *, actor=ACTORS["staff"], what=WHAT, basis=BASIS, withheld=(), minutes=0):
    shown = {"actor": actor, "what": what, "basis": basis}
    shown = {name: {} if name in withheld else text for name, text in shown.items()}
    entered = Entered(n, AT + timedelta(minutes=minutes), str(event), persons=(), n=n, **shown)
    hidden = dict.fromkeys(withheld, LAW)
    return Placed(Shown(entered, hidden, 0), "prov.example/norrvika/audit/1", n, b"{}")


def erased(event):
    placed = record(event, actor={}, what={}, basis={})
    shown = replace(placed.shown, entered=replace(placed.shown.entered, has_text=False))
    return replace(placed, shown=shown)


def of_type(event, code):
    return [one for one in event["agent"] if one["type"]["coding"][0]["code"] == code]


def entities(event, code):
    return [one for one in event["entity"] if one["type"]["code"] == code]


def follows_balp(event):
    """What the profiles demand beside what every AuditEvent has."""
    [patient] = entities(event, "1")
    assert patient["role"]["code"] == "1"
    assert patient["what"] == {"type": "Patient", "reference": f"urn:uuid:{INGRID}"}
    assert sum(one["requestor"] for one in event["agent"]) == 1
    profile = event.get("meta", {"profile": [""]})["profile"][0].rpartition("IHE.BasicAudit.")[2]
    kinds = [one["code"] for one in event["subtype"]]
    match profile:
        case "PatientRead" | "PatientCreate" | "PatientUpdate":
            client, server = READ if profile == "PatientRead" else WRITTEN
            users = {"IRCP"} if profile == "PatientRead" else {"AUT", "INF", "CST"}
            assert (event["type"]["code"], event["outcome"]) == ("rest", "0")
            assert event["action"] == profile.removeprefix("Patient")[0]
            assert kinds[0] == profile.removeprefix("Patient").lower()
            [asks], [ours] = of_type(event, client), of_type(event, server)
            assert all(one["who"] and one["network"] for one in (asks, ours))
            assert ours["who"] == event["source"]["observer"]
            assert len(entities(event, "2")) == 1
            assert {one["type"]["coding"][0]["code"] for one in event["agent"]} <= {
                client,
                server,
                *users,
            }
            assert all("network" not in one for code in users for one in of_type(event, code))
        case "AuthZconsent":
            assert (event["type"]["code"], event["action"]) == ("110113", "E")
            assert kinds == ["AuthZ-Consent"]
            [app], [user] = of_type(event, "110150"), of_type(event, "IRCP")
            [org], [server] = of_type(event, "PROV"), of_type(event, "authserver")
            assert app["network"]
            assert user["requestor"] is True
            assert org["who"]
            assert server["who"] == event["source"]["observer"]
            assert entities(event, "Consent")
            assert {one["type"]["code"] for one in event["entity"]} == {"1", "Consent"}
        case "PrivacyDisclosure.Source":
            assert (event["type"]["code"], event["action"], kinds[0]) == ("110106", "R", "disclose")
            [ours], [theirs] = of_type(event, "110153"), of_type(event, "110152")
            assert ours["who"] == event["source"]["observer"]
            assert ours["network"]
            assert theirs["network"]
            assert entities(event, "2")
        case _:
            assert profile == ""
    return profile


SOME = [(), ("actor",), ("what",), ("actor", "what", "basis")]


@pytest.mark.parametrize(("actor", "withheld"), [*(("staff", one) for one in SOME), ("home", ())])
def test_every_action_is_an_audit_event_also_with_parts_of_it_withheld(actor, withheld):
    for action in Action:
        event = fhir.audit_event(record(action, actor=ACTORS[actor], withheld=withheld), ABOUT)
        AuditEvent.model_validate(event)
        follows_balp(event)
        assert ("masked" in json.dumps(event)) <= bool(withheld)


@pytest.mark.parametrize("actor", ACTORS)
@pytest.mark.parametrize("action", [Action.CARD_READ, Action.CALL_OPENED, Action.REFUSED])
def test_whoever_acts_one_agent_asked(actor, action):
    follows_balp(fhir.audit_event(record(action, actor=ACTORS[actor]), ABOUT))


def test_no_action_is_forgotten():
    assert set(TOLD) == set(Action)


@pytest.mark.parametrize(
    ("action", "profile"),
    [
        (Action.CARD_READ, "PatientRead"), (Action.LOG_PERSON_READ, "PatientRead"),
        (Action.CONSENT_GIVEN, "PatientCreate"), (Action.RESIDENT_CHANGED, "PatientUpdate"),
        (Action.CALL_OPENED, "AuthZconsent"), (Action.CALL_RUNG, "AuthZconsent"),
        (Action.EXTRACT_ISSUED, "PrivacyDisclosure.Source"), (Action.REFUSED, ""),
        (Action.SIGNED_IN, ""), (Action.RECORD_ERASED, ""),
    ],
)  # fmt: skip
def test_each_kind_of_action_names_the_pattern_that_it_follows(action, profile):
    assert follows_balp(fhir.audit_event(record(action), ABOUT)) == profile


def test_what_was_erased_keeps_its_time_and_nothing_else():
    event = fhir.audit_event(erased(Action.CALL_OPENED), ABOUT)

    AuditEvent.model_validate(event)
    assert (event["recorded"], event["outcomeDesc"]) == ("2026-11-23T09:00:00.000Z", "erased")
    assert "unknown" in json.dumps(event["agent"])
    assert MARIA not in json.dumps(event)


@pytest.mark.parametrize(
    ("code", "outcome", "subtype", "profile"),
    [
        (Code.CONSENT_WITHDRAWN, "8", "AuthZ-Consent", "AuthZconsent"),
        (Code.NOT_ASSIGNED, "8", "AuthZ-Role", ""),
        (Code.BUSY, "4", "update", ""),
    ],
)
def test_a_refusal_says_whether_consent_or_right_was_missing(code, outcome, subtype, profile):
    event = fhir.audit_event(record(Action.REFUSED, what={**WHAT, "code": code}), ABOUT)

    assert follows_balp(event) == profile
    assert (event["outcome"], event["outcomeDesc"]) == (outcome, str(code))
    assert event["subtype"][0]["code"] == subtype


def test_what_rests_on_an_emergency_opening_says_so():
    basis = {**BASIS, "assignment_source": "break_glass"}
    opened = fhir.audit_event(record(Action.CALL_OPENED, basis=basis), ABOUT)
    usual = fhir.audit_event(record(Action.CALL_OPENED), ABOUT)

    def why(event):
        [user] = of_type(event, "IRCP")
        return [one["coding"][0]["code"] for one in user["purposeOfUse"]]

    assert why(opened) == ["BTG", "ETREAT", "video_visit"]
    assert why(usual) == ["TREAT", "video_visit"]


def test_a_look_lasts_from_the_picture_to_the_dark_and_is_hers_who_saw():
    seen = {"call_id": CALL, "staff_id": MARIA}
    records = [
        record(Action.CALL_OPENED, 1, actor=ACTORS["home"], what={**seen, "home_picture": True}),
        record(Action.CALL_WENT_DARK, 2, what=seen, minutes=2),
        record(Action.CALL_LIT_AGAIN, 3, what=seen, minutes=3),
        record(Action.CALL_ENDED, 4, actor=ACTORS["home"], what=seen, minutes=7),
        record(Action.CALL_OPENED, 5, what={**seen, "home_picture": False}, minutes=8),
        record(Action.CALL_ENDED, 6, what=seen, minutes=9),
    ]

    events = events_of(fhir.bundle(ABOUT, records))

    looks = [one for one in events if "camera-view" in [s["code"] for s in one["subtype"]]]
    assert [follows_balp(one) for one in looks] == ["PatientRead", "PatientRead"]
    assert [(one["period"]["start"][14:19], one["period"]["end"][14:19]) for one in looks] == [
        ("00:00", "02:00"), ("03:00", "07:00"),
    ]  # fmt: skip
    for one in looks:
        [user] = of_type(one, "IRCP")
        assert user["who"]["reference"] == f"urn:uuid:{MARIA}"


def events_of(bundle):
    return [one["resource"] for one in bundle["entry"]
            if one["resource"]["resourceType"] == "AuditEvent"]  # fmt: skip


def consents_of(bundle):
    return {one["resource"]["id"]: one["resource"] for one in bundle["entry"]
            if one["resource"]["resourceType"] == "Consent"}  # fmt: skip


# --- consents -----------------------------------------------------------------------------------

YES_SAID = {"consent_id": YES, "purpose": "video_visit", "ability": "clear",
            "valid_from": "2026-11-23T09:00:00+00:00", "hours_from": "21:00:00",
            "hours_until": "06:00:00", "callers": [MARIA]}  # fmt: skip
NO_SAID = {"consent_id": NO, "purpose": "video_visit", "valid_from": "2026-11-24T09:00:00+00:00"}
TOLD_BEFORE = {"information_version": 3, "information_language": "fi"}


def said(event, n, what, **more):
    return record(event, n, what=what, basis=TOLD_BEFORE, **more)


def test_a_withdrawn_yes_is_inactive_and_stays():
    bundle = fhir.bundle(
        ABOUT,
        [said(Action.CONSENT_GIVEN, 1, YES_SAID), said(Action.CONSENT_WITHDRAWN, 2, NO_SAID)],
    )

    Bundle.model_validate(bundle)
    yes, no = consents_of(bundle).values()
    assert (yes["status"], yes["provision"]["type"]) == ("inactive", "permit")
    assert yes["provision"]["period"] == {
        "start": YES_SAID["valid_from"], "end": NO_SAID["valid_from"],
    }  # fmt: skip
    assert (no["status"], no["provision"]["type"]) == ("inactive", "deny")


def test_a_yes_is_active_with_what_was_told_before_and_what_it_is_bound_to():
    [yes] = consents_of(fhir.bundle(ABOUT, [said(Action.CONSENT_GIVEN, 1, YES_SAID)])).values()

    Consent.model_validate(yes)
    assert (yes["status"], yes["policyRule"]["text"]) == ("active", "information 3 (fi)")
    assert [one["valueString"] for one in yes["provision"]["modifierExtension"]] == [
        "21:00-06:00", MARIA,
    ]  # fmt: skip
    assert yes["verification"][0]["verified"] is True


def test_another_partys_no_ends_nobody_elses_yes():
    cohabitant = {**NO_SAID, "cohabitant_id": str(uuid.UUID(int=8))}
    bundle = fhir.bundle(
        ABOUT, [said(Action.CONSENT_GIVEN, 1, YES_SAID), said(Action.CONSENT_DENIED, 2, cohabitant)]
    )

    yes, no = consents_of(bundle).values()
    assert (yes["status"], no["status"], no["provision"]["type"]) == ("active", "active", "deny")
    assert no["performer"][0]["type"] == "RelatedPerson"


def test_after_a_statement_that_is_not_shown_no_yes_is_said_to_hold():
    hidden = said(Action.CONSENT_WITHDRAWN, 2, NO_SAID, withheld=["what"])
    bundle = fhir.bundle(ABOUT, [said(Action.CONSENT_GIVEN, 1, YES_SAID), hidden])

    Bundle.model_validate(bundle)
    [yes] = consents_of(bundle).values()
    assert "status" not in yes
    assert yes["_status"]["extension"][0]["valueCode"] == "masked"


# --- in an extract ------------------------------------------------------------------------------


@pytest.fixture
async def desk(world, made, home, maria, kept, reader, tmp_path):  # noqa: F811
    await called(made, maria, home)
    await kept.go_on()
    await kept.sign()
    return Desk(kept, reader, home.resident, None, tmp_path)


async def test_the_package_holds_every_record_of_it_and_every_reference_leads_somewhere(desk):
    parts = await desk.make()

    bundle = json.loads(parts["fhir.json"])
    Bundle.model_validate(bundle)
    there = [one["fullUrl"] for one in bundle["entry"]]
    assert len(set(there)) == len(there)
    assert set(pointed_at(bundle)) <= set(there)
    assert len(events_of(bundle)) == await desk.numbers()
    assert [one["status"] for one in consents_of(bundle).values()] == ["active", "active"]
    views = [one for one in events_of(bundle) if "period" in one]
    assert len(views) == 1
    assert "fhir.json" in parts["README.txt"].decode()
    code, text = desk.run({**parts, "fhir.json": b"{}"})
    assert code == 0, text  # it proves nothing, and is not asked


def pointed_at(part):
    if isinstance(part, dict):
        if "reference" in part:
            yield part["reference"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from pointed_at(one)


async def test_what_is_withheld_stands_nowhere_in_it(desk):
    whole = (await desk.make())["fhir.json"].decode()
    records = [one for one in await desk.kept.world.records() if one["subject"]["persons"]]
    secrets = {
        text
        for one in records
        for section in ("actor", "what", "basis")
        for text in strings(one[section])
        if len(text) > 9 and text not in {str(desk.ingrid.id), desk.ingrid.name}
    }
    assert sum(one in whole for one in secrets) > 5
    everywhere = {n: dict.fromkeys(("actor", "what", "basis"), LAW)
                  for n in range(1, await desk.numbers() + 1)}  # fmt: skip

    hidden = (await desk.make(withheld=everywhere))["fhir.json"].decode()

    Bundle.model_validate_json(hidden)
    assert [one for one in secrets if one in hidden] == []
    assert desk.ingrid.name in hidden


def strings(part):
    if isinstance(part, str):
        yield part
    elif isinstance(part, (dict, list)):
        for one in part.values() if isinstance(part, dict) else part:
            yield from strings(one)


async def test_of_somebody_with_protected_identity_no_name_is_in_it(desk):
    parts = await desk.make(name="")

    [patient] = [
        one["resource"] for one in json.loads(parts["fhir.json"])["entry"]
        if one["resource"]["resourceType"] == "Patient"
    ]  # fmt: skip
    assert patient == {"resourceType": "Patient", "id": str(desk.ingrid.id)}
