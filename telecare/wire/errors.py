"""Every refusal's stable code. Each has a sentence `error.<code>` in every locale (tested)."""

from enum import StrEnum


class Code(StrEnum):
    # shape of what was sent
    FIELD_UNKNOWN = "field_unknown"
    FIELD_INVALID = "field_invalid"
    BODY_TOO_LARGE = "body_too_large"
    BODY_MALFORMED = "body_malformed"
    ORIGIN_REFUSED = "origin_refused"
    RATE_LIMITED = "rate_limited"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    LAN_START_NEEDED = "lan_start_needed"
    START_CODE_WRONG = "start_code_wrong"
    # who you are
    SIGN_IN_NEEDED = "sign_in_needed"
    SESSION_LOCKED = "session_locked"
    SIGN_IN_FAILED = "sign_in_failed"
    INVITATION_EXPIRED = "invitation_expired"
    NOT_FOUND = "not_found"
    NOT_PERMITTED = "not_permitted"
    NOT_ASSIGNED = "not_assigned"
    STAFF_REVOKED = "staff_revoked"
    NOT_ON_SHIFT = "not_on_shift"
    SHIFT_ALREADY_BEGUN = "shift_already_begun"
    # consent
    CONSENT_MISSING = "consent_missing"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_EXPIRED = "consent_expired"
    CONSENT_OUTSIDE_HOURS = "consent_outside_hours"
    COHABITANT_CONSENT_MISSING = "cohabitant_consent_missing"
    CALLER_NOT_ALLOWED = "caller_not_allowed"
    OBJECTION_PAUSES = "objection_pauses"
    RELATIVE_CANNOT_CONSENT = "relative_cannot_consent"
    YES_NOT_FROM_TV = "yes_not_from_tv"
    PARTY_UNKNOWN = "party_unknown"
    POLICY_MISSING = "policy_missing"
    # away, or no longer with us
    RESIDENT_ABSENT = "resident_absent"
    RESIDENT_ENDED = "resident_ended"
    ABSENCE_OVERLAPS = "absence_overlaps"
    # calls
    CALL_NOT_RINGING = "call_not_ringing"
    CALL_ENDED = "call_ended"
    CALL_TAKEN = "call_taken"
    BUSY = "busy"
    NO_ENDPOINT = "no_endpoint"
    NOT_YOUR_CALL = "not_your_call"
    LANGUAGE_FIRST = "language_first"
    SIGNAL_TOO_LARGE = "signal_too_large"
    # visits
    VISIT_CLOSED = "visit_closed"
    VISIT_CHANGED = "visit_changed"
    SERIES_EMPTY = "series_empty"
    OUTCOME_NEEDS_CALL = "outcome_needs_call"
    DISPATCH_CLOSED = "dispatch_closed"
    FOLLOW_UP_CLOSED = "follow_up_closed"
    # homes
    PAIRING_CODE_WRONG = "pairing_code_wrong"
    PAIRING_CODE_EXPIRED = "pairing_code_expired"
    UNIT_UNKNOWN = "unit_unknown"
    MESSAGE_MALFORMED = "message_malformed"
    SEAL_WRONG = "seal_wrong"
    # ours
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"
