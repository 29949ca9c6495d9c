"""How each action is told in FHIR: the pattern of its AuditEvent, and what it was done to.

IHE Basic Audit Log Patterns (BALP) know readings, changes, decisions by consent, and disclosures; a
call or a shift is an object that is created and changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from telecare.audit.actions import Action


class Pattern(Enum):
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    LOOK = "look"
    """What ends a look into a home: a reading, if a picture was lit."""
    DECISION = "decision"
    """A gate that consents opened."""
    DISCLOSURE = "disclosure"
    SIGN_IN = "sign_in"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Told:
    """`about`: the FHIR type of the object; `key`: where in the record its id stands."""

    pattern: Pattern
    about: str
    key: str = ""


def _each(told: Told, actions: Iterable[Action]) -> dict[Action, Told]:
    return dict.fromkeys(actions, told)


A, P = Action, Pattern
TOLD: dict[Action, Told] = {
    # the log itself, and who reads it
    **_each(Told(P.CREATE, "AuditEvent"), [A.LOG_KEY_ADDED, A.LOG_REOPENED]),
    **_each(Told(P.UPDATE, "AuditEvent"), [A.LOG_STOPPED, A.RETENTION_SET]),
    A.RECORD_ERASED: Told(P.DELETE, "AuditEvent"),
    **_each(
        Told(P.READ, "AuditEvent"),
        [
            A.LOG_VERIFIED, A.LOG_SEARCHED, A.LOG_RECORD_READ, A.LOG_PERSON_READ, A.LOG_STAFF_READ,
            A.LOG_CALL_READ, A.LOG_COMPARED, A.LOOKS_READ,
        ],
    ),
    A.LOG_CONSENTS_READ: Told(P.READ, "Consent"),
    A.HOLDS_READ: Told(P.READ, "List"),
    A.HOLD_PROPOSED: Told(P.CREATE, "Task", "hold_id"),
    **_each(
        Told(P.UPDATE, "Task", "hold_id"),
        [A.HOLD_APPROVED, A.HOLD_DECLINED, A.HOLD_LIFT_PROPOSED, A.HOLD_LIFT_DECLINED,
         A.HOLD_LIFTED],
    ),
    A.STAFF_DATA_PROPOSED: Told(P.CREATE, "Task", "decision_id"),
    **_each(
        Told(P.UPDATE, "Task", "decision_id"),
        [A.STAFF_DATA_APPROVED, A.STAFF_DATA_DECLINED, A.STAFF_DATA_WITHDRAWN, A.STAFF_DATA_SENT],
    ),
    A.REVIEW_BEGUN: Told(P.CREATE, "Task", "review_id"),
    A.REVIEW_READ: Told(P.READ, "Task", "review_id"),
    **_each(
        Told(P.UPDATE, "Task", "review_id"),
        [A.REVIEW_ASKED, A.REVIEW_JUDGED, A.REVIEW_OVERDUE, A.REVIEW_SIGNED],
    ),
    A.LETTER_PRINTED: Told(P.READ, "DocumentReference"),
    A.FINDING_OPENED: Told(P.CREATE, "DetectedIssue", "finding_id"),
    A.FINDINGS_READ: Told(P.READ, "DetectedIssue"),
    A.FINDING_CLOSED: Told(P.UPDATE, "DetectedIssue", "finding_id"),
    A.INCIDENT_OPENED: Told(P.CREATE, "DetectedIssue", "incident_id"),
    **_each(
        Told(P.UPDATE, "DetectedIssue", "incident_id"),
        [A.INCIDENT_DECIDED, A.INCIDENT_NOTIFIED, A.INCIDENT_TOLD, A.INCIDENT_CLOSED],
    ),
    # extracts
    A.REQUESTS_LISTED: Told(P.READ, "List"),
    A.REQUEST_READ: Told(P.READ, "DocumentReference", "request_id"),
    A.REQUEST_REGISTERED: Told(P.CREATE, "DocumentReference", "request_id"),
    **_each(
        Told(P.UPDATE, "DocumentReference", "request_id"), [A.REQUEST_TESTED, A.REQUEST_DECIDED]
    ),
    **_each(
        Told(P.DISCLOSURE, "DocumentReference", "request_id"), [A.EXTRACT_ISSUED, A.EXTRACT_FETCHED]
    ),
    # administration
    A.TENANT_ADDED: Told(P.CREATE, "Organization"),
    A.STAFF_ADDED: Told(P.CREATE, "Practitioner", "staff_id"),
    **_each(
        Told(P.UPDATE, "Practitioner", "staff_id"),
        [A.STAFF_CHANGED, A.STAFF_REVOKED, A.STAFF_ENDED, A.KEY_LOST, A.INVITATION_MADE,
         A.PASSKEY_REGISTERED],
    ),
    A.ROLE_GIVEN: Told(P.CREATE, "PractitionerRole", "grant_id"),
    A.ROLE_CHANGED: Told(P.UPDATE, "PractitionerRole", "grant_id"),
    A.RIGHTS_REVIEWED: Told(P.READ, "PractitionerRole"),
    A.UNIT_ADDED: Told(P.CREATE, "Organization", "unit_id"),
    A.UNIT_CHANGED: Told(P.UPDATE, "Organization", "unit_id"),
    A.PROVIDER_ADDED: Told(P.CREATE, "Organization", "provider_id"),
    A.LIST_CHANGED: Told(P.UPDATE, "List"),
    A.TEXT_PUBLISHED: Told(P.CREATE, "DocumentReference"),
    A.RESIDENT_REGISTERED: Told(P.CREATE, "Patient"),
    A.RESIDENT_CHANGED: Told(P.UPDATE, "Patient"),
    A.REGISTER_READ: Told(P.READ, "Patient"),
    **_each(
        Told(P.CREATE, "RelatedPerson", "cohabitant_id"),
        [A.COHABITANT_REGISTERED, A.COHABITANT_MOVED_IN],
    ),
    A.COHABITANT_MOVED_OUT: Told(P.UPDATE, "RelatedPerson", "cohabitant_id"),
    A.RELATIVE_ADDED: Told(P.CREATE, "RelatedPerson", "relative_id"),
    A.RELATIVE_ENDED: Told(P.UPDATE, "RelatedPerson", "relative_id"),
    A.KEY_NOTE_SET: Told(P.UPDATE, "Patient"),
    A.KEY_NOTE_READ: Told(P.READ, "Patient"),
    A.REPRESENTATIVE_ADDED: Told(P.CREATE, "RelatedPerson", "representative_id"),
    A.REPRESENTATIVE_ENDED: Told(P.UPDATE, "RelatedPerson", "representative_id"),
    A.IMPORT_SENT: Told(P.CREATE, "Task", "import_id"),
    **_each(Told(P.UPDATE, "Task", "import_id"), [A.IMPORT_BEGUN, A.IMPORT_FINISHED]),
    A.POLICY_SET: Told(P.CREATE, "DocumentReference", "id"),
    A.POLICY_ENDED: Told(P.UPDATE, "DocumentReference", "id"),
    # signing in, shifts
    **_each(
        Told(P.SIGN_IN, "Practitioner"), [A.SIGNED_IN, A.SIGN_IN_REFUSED, A.SIGNED_OUT]
    ),
    A.SHIFT_BEGUN: Told(P.CREATE, "Encounter", "shift_id"),
    A.SHIFT_ENDED: Told(P.UPDATE, "Encounter", "shift_id"),
    A.ROOM_PRIVATE: Told(P.UPDATE, "Encounter", "shift_id"),
    A.HAND_OVER_ASKED: Told(P.CREATE, "Task", "hand_over_id"),
    **_each(
        Told(P.UPDATE, "Task", "hand_over_id"),
        [A.HAND_OVER_ACCEPTED, A.HAND_OVER_DECLINED, A.HAND_OVER_UNANSWERED,
         A.HAND_OVER_WITHDRAWN, A.HAND_OVER_RETURNED],
    ),
    # who may act for whom
    A.ASSIGNMENT_BEGUN: Told(P.CREATE, "CareTeam", "assignment_id"),
    A.ASSIGNMENT_CHANGED: Told(P.UPDATE, "CareTeam", "assignment_id"),
    A.BREAK_GLASS_OPENED: Told(P.CREATE, "CareTeam", "break_glass_id"),
    A.BREAK_GLASS_CLOSED: Told(P.UPDATE, "CareTeam", "break_glass_id"),
    A.RELATION_STATED: Told(P.CREATE, "RelatedPerson", "relation_id"),
    **_each(
        Told(P.UPDATE, "RelatedPerson", "relation_id"), [A.RELATION_REMOVED, A.REASON_GIVEN]
    ),
    # reading
    **_each(Told(P.READ, "List"), [A.LIST_READ, A.LIST_PRINTED, A.SEARCHED]),
    A.CARD_READ: Told(P.READ, "Patient"),
    # consent, her own view
    **_each(Told(P.CREATE, "Consent", "consent_id"), [A.CONSENT_GIVEN, A.CONSENT_DENIED]),
    A.CONSENT_WITHDRAWN: Told(P.UPDATE, "Consent", "consent_id"),
    A.OBJECTION_MADE: Told(P.CREATE, "Flag", "objection_id"),
    A.OBJECTION_CLOSED: Told(P.UPDATE, "Flag", "objection_id"),
    **_each(Told(P.UPDATE, "Patient"), [A.LOOKS_SHOWN, A.LOOKS_HIDDEN]),
    A.LOOK_ASKED: Told(P.CREATE, "Task"),
    # alarms
    **_each(Told(P.CREATE, "Flag", "alarm_id"), [A.ALARM_RAISED, A.ALARM_TESTED]),
    A.ALARM_READ: Told(P.READ, "Flag", "alarm_id"),
    **_each(
        Told(P.UPDATE, "Flag", "alarm_id"),
        [
            A.ALARM_CANCELLED, A.ALARM_TAKEN, A.ALARM_NOTED, A.ALARM_CONTACT, A.ALARM_RETURNED,
            A.ALARM_PASSED_ON, A.ALARM_CENTRE_ANSWERED, A.ALARM_CLOSED,
        ],
    ),
    A.ALARM_CHAIN_SET: Told(P.UPDATE, "Patient"),
    A.ALARM_CENTRE_SET: Told(P.UPDATE, "Organization", "unit_id"),
    A.TECHNICAL_RAISED: Told(P.CREATE, "DetectedIssue", "technical_alarm_id"),
    **_each(
        Told(P.UPDATE, "DetectedIssue", "technical_alarm_id"),
        [A.ALARM_UNPROVEN, A.TECHNICAL_TAKEN, A.TECHNICAL_ENDED, A.TECHNICAL_CLOSED],
    ),
    A.OUTAGE_BEGAN: Told(P.CREATE, "DetectedIssue", "outage_id"),
    **_each(Told(P.UPDATE, "DetectedIssue", "outage_id"), [A.OUTAGE_TAKEN, A.OUTAGE_ENDED]),
    A.DEVIATION_OPENED: Told(P.CREATE, "DetectedIssue", "deviation_id"),
    # absence, ending
    A.ABSENCE_REPORTED: Told(P.CREATE, "Flag", "absence_id"),
    **_each(Told(P.UPDATE, "Flag", "absence_id"), [A.ABSENCE_BEGUN, A.ABSENCE_ENDED]),
    **_each(Told(P.UPDATE, "Patient"), [A.ENDING_PLANNED, A.RESIDENT_ENDED, A.ENDING_UNDONE]),
    # homes
    **_each(
        Told(P.CREATE, "Device", "endpoint_id"),
        [A.PAIRING_BEGUN, A.SCREEN_PAIRED, A.UNIT_ENROLLED],
    ),
    A.UNIT_NETWORK_SET: Told(P.UPDATE, "Device", "endpoint_id"),
    **_each(
        Told(P.UPDATE, "Device", "endpoint_id"),
        [A.DEVICE_CLOSED, A.DEVICE_REOPENED, A.UNIT_WIPED, A.CAMERA_TURNED],
    ),
    A.ALARM_UNIT_REGISTERED: Told(P.CREATE, "Device", "alarm_unit_id"),
    **_each(
        Told(P.UPDATE, "Device", "alarm_unit_id"),
        [A.ALARM_UNIT_CHANGED, A.ALARM_UNIT_CLOSED, A.ALARM_UNIT_REOPENED],
    ),
    # visits
    A.VISIT_PLANNED: Told(P.CREATE, "Appointment", "visit_id"),
    A.VISIT_READ: Told(P.READ, "Appointment", "visit_id"),
    **_each(
        Told(P.UPDATE, "Appointment", "visit_id"),
        [
            A.VISIT_MOVED, A.VISIT_CANCELLED, A.VISIT_HANDED_OVER, A.VISIT_MISSED,
            A.VISIT_CALLED_OFF, A.VISIT_RESTORED, A.VISIT_STEP_CHOSEN, A.VISIT_CONCLUDED,
        ],
    ),
    # night checks
    A.ASSESSMENT_SET: Told(P.CREATE, "DocumentReference"),
    A.NIGHT_AGREED: Told(P.CREATE, "CarePlan", "agreement_id"),
    A.NIGHT_AGREEMENT_ENDED: Told(P.UPDATE, "CarePlan", "agreement_id"),
    A.NIGHT_PAUSED: Told(P.UPDATE, "CarePlan"),
    A.DISTURBANCE_DECLARED: Told(P.CREATE, "DetectedIssue"),
    A.DISTURBANCE_ENDED: Told(P.UPDATE, "DetectedIssue"),
    A.CAMERA_ADDED: Told(P.CREATE, "Device", "camera_id"),
    **_each(
        Told(P.UPDATE, "Device", "camera_id"),
        [A.CAMERA_ACTIVATED, A.CAMERA_BLOCKED, A.CAMERA_CLOSED],
    ),
    A.ROUND_PLANNED: Told(P.CREATE, "Appointment"),
    **_each(
        Told(P.UPDATE, "Appointment", "check_id"),
        [
            A.CHECK_STEPPED, A.CHECK_CONCLUDED, A.CHECK_MISSED, A.CHECK_PHONED,
            A.CHECK_CALLED_OFF, A.LOOK_EXTENDED, A.LOOK_CUT, A.LOOKED_AGAIN,
        ],
    ),
    # calls
    **_each(
        Told(P.DECISION, "Encounter", "call_id"),
        [A.CALL_PREPARED, A.CALL_RUNG, A.CALL_OPENED, A.SPEECH_ASKED],
    ),
    A.CALL_CALLED_IN: Told(P.CREATE, "Encounter", "call_id"),
    **_each(Told(P.LOOK, "Encounter", "call_id"), [A.CALL_WENT_DARK, A.CALL_ENDED]),
    **_each(
        Told(P.UPDATE, "Encounter", "call_id"),
        [
            A.CALL_TAKEN, A.CALL_ANSWERED, A.CALL_DECLINED, A.CALL_UNANSWERED, A.CALL_PASSED_ON,
            A.CALL_SEEN, A.CALL_LIT_AGAIN, A.FACE_LEFT, A.SPEECH_BEGAN,
        ],
    ),
    # tasks
    A.DISPATCH_ASKED: Told(P.CREATE, "Task", "dispatch_id"),
    **_each(
        Told(P.UPDATE, "Task", "dispatch_id"),
        [A.DISPATCH_ACCEPTED, A.DISPATCH_ARRIVED, A.DISPATCH_DONE],
    ),
    A.FOLLOW_UP_MADE: Told(P.CREATE, "Task", "follow_up_id"),
    **_each(
        Told(P.UPDATE, "Task", "follow_up_id"), [A.FOLLOW_UP_TAKEN, A.FOLLOW_UP_CLOSED]
    ),
    A.CORRECTED: Told(P.UPDATE, "Observation"),
    # everything that was not allowed
    A.REFUSED: Told(P.REFUSAL, "Basic"),
}  # fmt: skip
UNKNOWN = Told(Pattern.UPDATE, "Basic")
"""Of an action that this version does not know."""


def told(event: str) -> Told:
    try:
        return TOLD[Action(event)]
    except ValueError:
        return UNKNOWN
