"""The whole vocabulary of the log: every action that leaves a record, `noun.verb_past`.

Each has a text `action.<value>` in every locale (tested).
"""

from enum import StrEnum


class Action(StrEnum):
    # administration
    TENANT_ADDED = "tenant.added"
    STAFF_ADDED = "staff.added"
    STAFF_CHANGED = "staff.changed"
    STAFF_REVOKED = "staff.revoked"
    STAFF_ENDED = "staff.ended"
    ROLE_GIVEN = "role.given"
    ROLE_CHANGED = "role.changed"
    RIGHTS_REVIEWED = "rights.reviewed"
    KEY_LOST = "passkey.ended"
    UNIT_ADDED = "care_unit.added"
    UNIT_CHANGED = "care_unit.changed"
    PROVIDER_ADDED = "provider.added"
    LIST_CHANGED = "list.changed"
    TEXT_PUBLISHED = "information.published"
    RESIDENT_REGISTERED = "resident.registered"
    COHABITANT_REGISTERED = "cohabitant.registered"
    POLICY_SET = "policy.set"
    POLICY_ENDED = "policy.ended"
    # signing in
    INVITATION_MADE = "invitation.made"
    PASSKEY_REGISTERED = "passkey.registered"
    SIGNED_IN = "session.begun"
    SIGN_IN_REFUSED = "session.refused"
    SIGNED_OUT = "session.ended"
    SHIFT_BEGUN = "shift.begun"
    SHIFT_ENDED = "shift.ended"
    HAND_OVER_ASKED = "hand_over.asked"
    HAND_OVER_ACCEPTED = "hand_over.accepted"
    HAND_OVER_DECLINED = "hand_over.declined"
    HAND_OVER_UNANSWERED = "hand_over.unanswered"
    HAND_OVER_WITHDRAWN = "hand_over.withdrawn"
    HAND_OVER_RETURNED = "hand_over.returned"
    # who may act for whom
    ASSIGNMENT_BEGUN = "assignment.begun"
    ASSIGNMENT_CHANGED = "assignment.changed"
    # reading
    LIST_READ = "list.read"
    LIST_PRINTED = "list.printed"
    CARD_READ = "card.read"
    SEARCHED = "residents.searched"
    # consent
    CONSENT_GIVEN = "consent.given"
    CONSENT_DENIED = "consent.denied"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    OBJECTION_MADE = "objection.made"
    OBJECTION_CLOSED = "objection.closed"
    # homes
    PAIRING_BEGUN = "pairing.begun"
    SCREEN_PAIRED = "screen.paired"
    UNIT_ENROLLED = "unit.enrolled"
    CAMERA_TURNED = "camera.turned"
    # visits
    VISIT_PLANNED = "visit.planned"
    VISIT_READ = "visit.read"
    VISIT_MOVED = "visit.moved"
    VISIT_CANCELLED = "visit.cancelled"
    VISIT_HANDED_OVER = "visit.handed_over"
    VISIT_MISSED = "visit.missed"
    VISIT_STEP_CHOSEN = "visit.step_chosen"
    VISIT_CONCLUDED = "visit.concluded"
    # calls
    CALL_RUNG = "call.rung"
    CALL_CALLED_IN = "call.called_in"
    CALL_TAKEN = "call.taken"
    CALL_ANSWERED = "call.answered"
    CALL_DECLINED = "call.declined"
    CALL_UNANSWERED = "call.unanswered"
    CALL_PASSED_ON = "call.passed_on"
    CALL_OPENED = "call.opened"
    CALL_SEEN = "call.seen"
    CALL_WENT_DARK = "call.went_dark"
    CALL_LIT_AGAIN = "call.lit_again"
    CALL_ENDED = "call.ended"
    FACE_LEFT = "face.left"
    # tasks
    DISPATCH_ASKED = "dispatch.asked"
    DISPATCH_ACCEPTED = "dispatch.accepted"
    DISPATCH_ARRIVED = "dispatch.arrived"
    DISPATCH_DONE = "dispatch.done"
    FOLLOW_UP_MADE = "follow_up.made"
    FOLLOW_UP_TAKEN = "follow_up.taken"
    FOLLOW_UP_CLOSED = "follow_up.closed"
    # everything that was not allowed
    REFUSED = "action.refused"
