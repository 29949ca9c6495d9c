"""An extract's records as FHIR R4 (AuditEvent, Consent), for other systems to read. Pure.

A translation: what proves is `records.jsonl`. Made of what the extract shows and nothing else;
what is withheld stands as data-absent-reason `masked`, what is erased as `unknown`. AuditEvents
follow IHE Basic Audit Log Patterns (BALP) 1.1 and name a profile only with all its parts.
"""

import base64
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from telecare.access.store import BREAK_GLASS
from telecare.audit.actions import Action
from telecare.audit.format import Document, leaf_hash
from telecare.integrity.fhir_actions import Pattern, Told, told
from telecare.integrity.report import Shown
from telecare.wire.errors import Code

Resource = dict[str, object]

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
DCM = "http://dicom.nema.org/resources/ontology/DCM"
REST = "http://hl7.org/fhir/restful-interaction"
TERMS = "http://terminology.hl7.org/CodeSystem/"
URI = "urn:ietf:rfc:3986"
OURS = "urn:telecare:"
"""Our own codes: `urn:telecare:action` is the log's vocabulary, `…:look` holds `camera-view`."""
SOURCE, DESTINATION, APPLICATION = "110153", "110152", "110150"
SUCCESS, MINOR, SERIOUS = "0", "4", "8"
PROFILES = {
    Pattern.READ: "PatientRead",
    Pattern.CREATE: "PatientCreate",
    Pattern.UPDATE: "PatientUpdate",
    Pattern.DISCLOSURE: "PrivacyDisclosure.Source",
    Pattern.DECISION: "AuthZconsent",
}
REST_ACTIONS = {
    Pattern.READ: "R",
    Pattern.CREATE: "C",
    Pattern.UPDATE: "U",
    Pattern.DELETE: "D",
}
CONSENT_CODES = frozenset({
    Code.CONSENT_MISSING, Code.CONSENT_WITHDRAWN, Code.CONSENT_EXPIRED, Code.CONSENT_OUTSIDE_HOURS,
    Code.COHABITANT_CONSENT_MISSING, Code.CALLER_NOT_ALLOWED, Code.OBJECTION_PAUSES,
    Code.EMERGENCY_EXCLUDED, Code.POLICY_MISSING,
})  # fmt: skip
ROLE_CODES = frozenset({
    Code.NOT_PERMITTED, Code.NOT_ASSIGNED, Code.STAFF_REVOKED, Code.NOT_ON_SHIFT,
    Code.TRAINING_MISSING, Code.OWN_RELATION, Code.NOT_YOUR_CALL, Code.SESSION_LOCKED,
})  # fmt: skip
LIT = frozenset({Action.CALL_OPENED, Action.CALL_LIT_AGAIN})
CONSENTS = frozenset({Action.CONSENT_GIVEN, Action.CONSENT_DENIED, Action.CONSENT_WITHDRAWN})
REVIEWING = ("log.", "review.", "finding.", "incident.", "hold.", "request.")
LIFECYCLE = f"{TERMS}iso-21089-lifecycle"


@dataclass(frozen=True, slots=True)
class Placed:
    """A record as it is shown, and where it stands."""

    shown: Shown
    origin: str
    index: int
    entry: bytes

    @property
    def uuid(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.origin}#{self.index}"))


@dataclass(frozen=True, slots=True)
class About:
    """Whose extract it is. `name` empty: one with protected identity."""

    person_id: str
    name: str
    municipality: str
    made_at: datetime


@dataclass(slots=True)
class _Cast:
    """Who and what the events point at, by UUID; `consents`: those that stand in the bundle."""

    about: About
    consents: frozenset[str]
    found: dict[str, Resource] = field(default_factory=dict)

    def point(self, kind: str, identity: object, **more: object) -> Resource:
        """A reference to it, which is in the bundle from now on when its id is a UUID."""
        name = str(identity)
        if not _is_uuid(name):
            return {"type": kind, "identifier": {"value": name}}
        known = self.found.setdefault(name, {"resourceType": kind, "id": name})
        if known["resourceType"] != kind:
            return _named(kind, name)
        known.update({key: value for key, value in more.items() if value})
        return {"type": kind, "reference": f"urn:uuid:{name}"}

    def patient(self) -> Resource:
        name = [{"text": self.about.name}] if self.about.name else None
        return self.point("Patient", self.about.person_id, name=name)

    def server(self, origin: str) -> Resource:
        made = uuid.uuid5(uuid.NAMESPACE_URL, origin)
        return self.point("Device", made, identifier=[{"value": origin}])

    def staff(self, identity: object, name: str = "") -> Resource:
        return self.point("Practitioner", identity, name=[{"text": name}] if name else None)

    def consent(self, identity: str) -> Resource:
        if identity in self.consents:
            return {"type": "Consent", "reference": f"urn:uuid:{identity}"}
        return _named("Consent", identity)


def bundle(about: About, records: Sequence[Placed]) -> Resource:
    """All of an extract: a Bundle of type collection."""
    consents = _consents(about, records)
    cast = _Cast(about, frozenset(consents))
    cast.patient()
    looks = _looks(records)
    events = [(one.uuid, _event(one, cast, looks.get(one.uuid))) for one in records]
    resources = [*cast.found.items(), *consents.items(), *events]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _instant(about.made_at),
        "entry": [{"fullUrl": f"urn:uuid:{one}", "resource": made} for one, made in resources],
    }


def audit_event(one: Placed, about: About, lit_at: datetime | None = None) -> Resource:
    """One record alone. `lit_at`: since when the picture was lit that this record ends."""
    return _event(one, _Cast(about, frozenset()), lit_at)


def _looks(records: Sequence[Placed]) -> Mapping[str, datetime]:
    """Of the records that end a look, when it began, as far as both are shown."""
    lit: dict[str, datetime] = {}
    ended = {}
    for one in records:
        entered = one.shown.entered
        call = str(entered.what.get("call_id", ""))
        if entered.event in LIT and entered.what.get("home_picture", True) is True and call:
            lit[call] = entered.at
        elif told(entered.event).pattern is Pattern.LOOK and call in lit:
            ended[one.uuid] = lit.pop(call)
    return ended


# --- one event --------------------------------------------------------------------------------


def _event(one: Placed, cast: _Cast, lit_at: datetime | None) -> Resource:
    how = told(one.shown.entered.event)
    made = _Event(one, cast, how)
    match how.pattern:
        case Pattern.LOOK:
            return made.look(lit_at) if lit_at else made.rest(Pattern.UPDATE)
        case Pattern.DECISION:
            return made.decision()
        case Pattern.DISCLOSURE:
            return made.disclosure()
        case Pattern.SIGN_IN:
            return made.sign_in()
        case Pattern.REFUSAL:
            return made.refusal()
        case rest:
            return made.rest(rest)


class _Event:
    """One record on its way to an AuditEvent."""

    def __init__(self, one: Placed, cast: _Cast, how: Told) -> None:
        self.one, self.cast, self.how = one, cast, how
        self.entered = one.shown.entered
        self.actor = self.entered.actor
        self.quoted = _quoted(self.entered.basis)

    # --- patterns -----------------------------------------------------------------------------

    def rest(self, pattern: Pattern) -> Resource:
        """BALP PatientRead, PatientCreate, PatientUpdate: data goes to whoever reads, and comes
        from whoever changes.
        """
        is_read = pattern is Pattern.READ
        client, server = (DESTINATION, SOURCE) if is_read else (SOURCE, DESTINATION)
        return self._made(
            _coding(f"{TERMS}audit-event-type", "rest", "Restful Operation"),
            [_coding(REST, pattern.value), self._action()],
            REST_ACTIONS[pattern],
            [self._client(client), self._server(server), *self._user("IRCP" if is_read else "AUT")],
            [self._patient(), self._object(), *self._rested_on()],
            profile=pattern,
        )

    def look(self, lit_at: datetime) -> Resource:
        """The picture from her home, from when it was lit until this record: it was read."""
        made = self._made(
            _coding(f"{TERMS}audit-event-type", "rest", "Restful Operation"),
            [_coding(REST, "read"), self._action(), _coding(f"{OURS}look", "camera-view")],
            "R",
            [
                self._screen(),
                self._server(SOURCE),
                self._viewer(),
            ],
            [self._patient(), self._object(), *self._rested_on()],
            profile=Pattern.READ,
        )
        period = {"start": _instant(lit_at), "end": _instant(self.entered.at)}
        return {**made, "period": period}

    def decision(self) -> Resource:
        """BALP AuthZconsent: the gate opened, by these consents; else it is only a call."""
        if not self.quoted:
            is_new = self.entered.event == Action.CALL_RUNG
            return self.rest(Pattern.CREATE if is_new else Pattern.UPDATE)
        return self._decided(SUCCESS, "", profile=Pattern.DECISION)

    def refusal(self) -> Resource:
        code = str(self.entered.what.get("code", ""))
        if code in CONSENT_CODES | ROLE_CODES:
            is_whole = code in CONSENT_CODES and bool(self.quoted)
            return self._decided(SERIOUS, code, profile=Pattern.DECISION if is_whole else None)
        pattern = told(str(self.entered.what.get("tried", ""))).pattern
        pattern = pattern if pattern in REST_ACTIONS else Pattern.UPDATE
        made = self.rest(pattern)
        made.pop("meta", None)  # the profiles are about what was done
        return {**made, **_outcome(MINOR, code)}

    def disclosure(self) -> Resource:
        """BALP PrivacyDisclosure.Source: an extract left. To whom stands under the case alone."""
        case = str(self.entered.what.get("case", ""))
        recipient = self._agent(
            _coding(DCM, DESTINATION), {"display": case} if case else self._absent("what")
        )
        recipient["network"] = _absent("not-applicable")  # by hand or post
        recipient["requestor"] = self._has_no_user()
        return self._made(
            _coding(DCM, "110106", "Export"),
            [_coding(LIFECYCLE, "disclose"), self._action()],
            "R",
            [self._server(SOURCE), recipient, *self._user("AUT")],
            [self._patient(), self._object("3", "Report")],
            profile=Pattern.DISCLOSURE,
        )

    def sign_in(self) -> Resource:
        """Of a whole log; a person's extract has none."""
        subtype = "110123" if self.entered.event == Action.SIGNED_OUT else "110122"
        made = self._made(
            _coding(DCM, "110114", "User Authentication"),
            [_coding(DCM, subtype), self._action()],
            "E",
            [self._client(APPLICATION), self._server(DESTINATION), *self._user("IRCP")],
            [self._patient()],
        )
        is_refused = self.entered.event == Action.SIGN_IN_REFUSED
        return {**made, **_outcome(MINOR if is_refused else SUCCESS, "")}

    def _decided(self, outcome: str, why: str, profile: Pattern | None) -> Resource:
        by_consent = not why or why in CONSENT_CODES
        subtype = "AuthZ-Consent" if by_consent else "AuthZ-Role"
        server = self.cast.server(self.one.origin)
        made = self._made(
            _coding(DCM, "110113", "Security Alert"),
            [_coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType", subtype)],
            "E",
            [
                self._client(APPLICATION, asks=False),
                self._viewer(),
                self._organization(),
                self._agent(_coding(f"{TERMS}extra-security-role-type", "authserver"), server),
            ],
            [self._patient(), *self._rested_on()],
            profile=profile,
        )
        return {**made, **_outcome(outcome, why)}

    def _made(
        self,
        kind: Resource,
        subtype: Sequence[Resource],
        action: str,
        agents: Sequence[Resource],
        entities: Sequence[Resource],
        profile: Pattern | None = None,
    ) -> Resource:
        named = PROFILES.get(profile) if profile else None
        made: Resource = {
            "resourceType": "AuditEvent",
            "id": self.one.uuid,
            "meta": {"profile": [BALP + named]} if named else {},
            "type": kind,
            "subtype": list(subtype),
            "action": action,
            "recorded": _instant(self.entered.at),
            **_outcome(SUCCESS, "" if self.entered.has_text else "erased"),
            "agent": list(agents),
            "source": {
                "site": self.one.origin,
                "observer": self.cast.server(self.one.origin),
                "type": [_coding(f"{TERMS}security-source-type", "4", "Application Server")],
            },
            "entity": list(entities),
        }
        if not named:
            del made["meta"]
        return made

    def _action(self) -> Resource:
        return _coding(f"{OURS}action", self.entered.event)

    # --- agents -------------------------------------------------------------------------------

    def _agent(self, kind: Resource, who: Resource, *, asks: bool = False) -> Resource:
        return {"type": {"coding": [kind]}, "who": who, "requestor": asks}

    def _client(self, role: str, *, asks: bool | None = None) -> Resource:
        """What was used. Network addresses of homes and staff are not in the log."""
        asks = self._has_no_user() if asks is None else asks
        made = self._agent(_coding(DCM, role), self._used(), asks=asks)
        return {**made, "network": _absent("unknown")}

    def _used(self) -> Resource:
        match self.actor:
            case {"kind": "home", "id": identity}:
                return self.cast.point("Device", identity)
            case {"channel": channel}:
                return {"display": str(channel)}
        return self._absent("actor")

    def _screen(self) -> Resource:
        """Where she was seen: not what hung up."""
        made = self._client(DESTINATION, asks=False)
        return made if self.actor.get("kind") == "staff" else {**made, "who": self._console()}

    def _console(self) -> Resource:
        return {"display": "console"} if self.actor else self._absent("actor")

    def _server(self, role: str) -> Resource:
        made = self._agent(_coding(DCM, role), self.cast.server(self.one.origin))
        host = self.one.origin.partition("/")[0]
        return {**made, "network": {"address": host, "type": "1"}}

    def _has_no_user(self) -> bool:
        return self.actor.get("kind") in {"home", "system", "nobody"}

    def _user(self, part: str) -> Sequence[Resource]:
        """The person who acted; none when a device did, or the system itself."""
        if self._has_no_user():
            return []
        return [self._person(part, self._who())]

    def _who(self) -> Resource:
        match self.actor:
            case {"kind": "staff", "id": identity}:
                return self.cast.staff(identity, str(self.actor.get("name") or ""))
            case {"id": identity}:
                return {"type": "Practitioner", "identifier": {"value": str(identity)}}
        return self._absent("actor")

    def _viewer(self) -> Resource:
        """Who sees her in a call: also when the home answered, or hung up."""
        seen_by = self.entered.what.get("staff_id")
        is_hers = self.actor.get("kind") == "staff" and seen_by in {None, self.actor.get("id")}
        if is_hers or not seen_by:
            who = self._who() if not self._has_no_user() else self._absent("what")
        else:
            who = self.cast.staff(seen_by)
        return self._person("IRCP", who, is_actor=is_hers)

    def _person(self, part: str, who: Resource, *, is_actor: bool = True) -> Resource:
        made = self._agent(_coding(f"{TERMS}v3-ParticipationType", part), who, asks=True)
        roles = self.actor.get("roles") if is_actor else None
        if isinstance(roles, list) and roles:
            made["role"] = [{"coding": [_coding(f"{OURS}role", str(one))]} for one in roles]
        if is_actor and self.actor.get("name"):
            made["name"] = str(self.actor["name"])
        purposes = _purposes(self.entered.event, self.entered.what, self.entered.basis)
        if purposes:
            made["purposeOfUse"] = purposes
        return made

    def _organization(self) -> Resource:
        """Her unit, or the board whose decision the call rests on."""
        kind = _coding(f"{TERMS}v3-RoleClass", "PROV", "healthcare provider")
        if self.actor.get("unit_id"):
            unit, name = self.actor["unit_id"], self.actor.get("unit_name")
            return self._agent(kind, self.cast.point("Organization", unit, name=name))
        board = self.entered.basis.get("board")
        return self._agent(kind, {"display": str(board)} if board else self._absent("basis"))

    # --- entities -----------------------------------------------------------------------------

    def _patient(self) -> Resource:
        """Whom it is about, with the way back to the record that proves it."""
        details: list[Resource] = [
            {"type": "log", "valueString": self.one.origin},
            {"type": "index", "valueString": str(self.one.index)},
            {"type": "leaf", "valueBase64Binary": _base64(leaf_hash(self.one.entry))},
            {"type": "action", "valueString": self.entered.event},
        ]
        if self.entered.n:
            details.append({"type": "number", "valueString": str(self.entered.n)})
        if tried := self.entered.what.get("tried"):
            details.append({"type": "tried", "valueString": str(tried)})
        return {
            "what": self.cast.patient(),
            "type": _coding(f"{TERMS}audit-entity-type", "1", "Person"),
            "role": _coding(f"{TERMS}object-role", "1", "Patient"),
            "detail": details,
        }

    def _object(self, role: str = "4", display: str = "Domain Resource") -> Resource:
        return {
            "what": self._object_id(),
            "type": _coding(f"{TERMS}audit-entity-type", "2", "System Object"),
            "role": _coding(f"{TERMS}object-role", role, display),
        }

    def _object_id(self) -> Resource:
        how = self.how
        if how.pattern is Pattern.REFUSAL:
            how = told(str(self.entered.what.get("tried", "")))
        if how.about == "Patient":
            return self.cast.patient()
        identity = self.entered.what.get(how.key) if how.key else None
        if not identity:
            return {"type": how.about, **self._absent("what")}
        if how.about == "Consent":
            return self.cast.consent(str(identity))
        if how.about == "Device":
            return self.cast.point("Device", identity)
        return _named(how.about, str(identity))

    def _rested_on(self) -> Sequence[Resource]:
        kind = _coding("http://hl7.org/fhir/resource-types", "Consent", "Consent")
        return [{"what": self.cast.consent(one), "type": kind} for one in self.quoted]

    def _absent(self, section: str) -> Resource:
        return _absent("masked" if section in self.one.shown.withheld else "unknown")


def _purposes(event: str, what: Document, basis: Document) -> list[Resource]:
    """HL7 v3 ActReason, and the purpose by our own name."""
    purpose = str(basis.get("purpose") or what.get("purpose") or "")
    codes = []
    if event == Action.BREAK_GLASS_OPENED or basis.get("assignment_source") == BREAK_GLASS:
        codes = ["BTG", "ETREAT"]
    elif purpose:
        codes = ["TREAT"]
    elif event.startswith(REVIEWING):
        codes = ["HCOMPL"]
    found = [_coding(f"{TERMS}v3-ActReason", code) for code in codes]
    found += [_coding(f"{OURS}purpose", purpose)] if purpose else []
    return [{"coding": [one]} for one in found]


def _quoted(basis: Document) -> Sequence[str]:
    listed = basis.get("consents")
    quoted = listed if isinstance(listed, list) else []
    return [str(one["consent_id"]) for one in quoted if isinstance(one, dict)]


# --- consents -----------------------------------------------------------------------------------


def _consents(about: About, records: Sequence[Placed]) -> dict[str, Resource]:
    """Every statement in the log, by its id. The newest of a party for a purpose is active; after
    one that is not shown, nobody can tell from here which.
    """
    made: dict[str, Resource] = {}
    newest: dict[tuple[str, str], str] = {}
    for one in records:
        entered = one.shown.entered
        if entered.event not in CONSENTS:
            continue
        identity = str(entered.what.get("consent_id", ""))
        if not _is_uuid(identity):
            for earlier in newest.values():
                made[earlier].pop("status", None)
                made[earlier]["_status"] = _absent(
                    "masked" if "what" in one.shown.withheld else "unknown"
                )
            newest.clear()
            continue
        party = str(entered.what.get("purpose")), str(entered.what.get("cohabitant_id") or "")
        if party in newest:
            _end(made[newest.pop(party)], str(entered.what.get("valid_from", "")))
        made[identity] = consent(one, about)
        if entered.event != Action.CONSENT_WITHDRAWN:
            newest[party] = identity
    return made


def consent(one: Placed, about: About) -> Resource:
    """One statement as it was taken down. A withdrawal is an inactive no; what a yes is bound to
    beside its time (hours, callers) is a modifier: who does not know it must not rely on the yes.
    """
    entered = one.shown.entered
    what, basis = entered.what, entered.basis
    is_withdrawal = entered.event == Action.CONSENT_WITHDRAWN
    period = {"start": what.get("valid_from"), "end": what.get("valid_until")}
    provision: Resource = {
        "type": "permit" if entered.event == Action.CONSENT_GIVEN else "deny",
        "period": {key: value for key, value in period.items() if value},
        "purpose": [_coding(f"{OURS}purpose", str(what.get("purpose", "")))],
    }
    if bound := _bound(what):
        provision["modifierExtension"] = bound
    made: Resource = {
        "resourceType": "Consent",
        "id": str(what["consent_id"]),
        "status": "inactive" if is_withdrawal else "active",
        "scope": {"coding": [_coding(f"{TERMS}consentscope", "patient-privacy")]},
        "category": [{"coding": [_coding("http://loinc.org", "59284-0", "Consent Document")]}],
        "patient": {"type": "Patient", "reference": f"urn:uuid:{about.person_id}"},
        "dateTime": _instant(entered.at),
        "performer": [_performer(what, about)],
        "policyRule": _policy(one, basis),
        "provision": provision,
    }
    if about.municipality:
        made["organization"] = [{"type": "Organization", "display": about.municipality}]
    if what.get("ability"):
        is_clear = what["ability"] == "clear"
        made["verification"] = [{"verified": is_clear, "verificationDate": _instant(entered.at)}]
    return made


def _performer(what: Document, about: About) -> Resource:
    """Whoever said it: she, who lives with her, or who stands in for her."""
    if what.get("stands_in"):
        return {"type": "RelatedPerson", "display": str(what["stands_in"])}
    if what.get("cohabitant_id"):
        return _named("RelatedPerson", str(what["cohabitant_id"]))
    return {"type": "Patient", "reference": f"urn:uuid:{about.person_id}"}


def _policy(one: Placed, basis: Document) -> Resource:
    """What was told before she answered."""
    version = basis.get("information_version")
    if version is None:
        return _absent("masked" if "basis" in one.shown.withheld else "unknown")
    return {"text": f"information {version} ({basis.get('information_language', '')})"}


def _bound(what: Document) -> list[Resource]:
    bound: list[Resource] = []
    if what.get("hours_from"):
        hours = f"{str(what['hours_from'])[:5]}-{str(what['hours_until'])[:5]}"
        bound.append({"url": f"{OURS}consent-hours", "valueString": hours})
    for one in _listed(what.get("callers")):
        caller: Resource = {"url": f"{OURS}consent-caller", "valueString": one}
        bound.append(caller)
    return bound


def _listed(value: object) -> Iterable[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return [str(value)] if value else []


def _end(earlier: Resource, at: str) -> None:
    earlier["status"] = "inactive"
    provision = earlier["provision"]
    if at and isinstance(provision, dict):
        provision["period"] = {**provision["period"], "end": at}


# --- small things -------------------------------------------------------------------------------


def _coding(system: str, code: str, display: str = "") -> Resource:
    made: Resource = {"system": system, "code": code}
    return {**made, "display": display} if display else made


def _outcome(code: str, why: str) -> Resource:
    return {"outcome": code, "outcomeDesc": why} if why else {"outcome": code}


def _absent(why: str) -> Resource:
    return {"extension": [{"url": ABSENT, "valueCode": why}]}


def _named(kind: str, identity: str) -> Resource:
    """A reference to something that is not in the bundle."""
    if _is_uuid(identity):
        return {"type": kind, "identifier": {"system": URI, "value": f"urn:uuid:{identity}"}}
    return {"type": kind, "identifier": {"value": identity}}


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
