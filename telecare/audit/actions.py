"""The whole vocabulary of the log: every action that leaves a record, `noun.verb_past`.

Each has a text `action.<value>` in every locale (tested).
"""

from enum import StrEnum


class Action(StrEnum):
    # administration
    TENANT_ADDED = "tenant.added"
    STAFF_ADDED = "staff.added"
    STAFF_REVOKED = "staff.revoked"
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
    # who may act for whom
    ASSIGNMENT_BEGUN = "assignment.begun"
    ASSIGNMENT_CHANGED = "assignment.changed"
    # reading
    LIST_READ = "list.read"
    CARD_READ = "card.read"
    SEARCHED = "residents.searched"
    # consent
    CONSENT_GIVEN = "consent.given"
    CONSENT_DENIED = "consent.denied"
    CONSENT_WITHDRAWN = "consent.withdrawn"
    OBJECTION_MADE = "objection.made"
    OBJECTION_CLOSED = "objection.closed"
    # absence
    ABSENCE_REPORTED = "absence.reported"
    ABSENCE_BEGUN = "absence.begun"
    ABSENCE_ENDED = "absence.ended"
    # ending
    ENDING_PLANNED = "ending.planned"
    RESIDENT_ENDED = "resident.ended"
    ENDING_UNDONE = "ending.undone"
    COHABITANT_MOVED_OUT = "cohabitant.moved_out"
    COHABITANT_MOVED_IN = "cohabitant.moved_in"
    # homes
    PAIRING_BEGUN = "pairing.begun"
    SCREEN_PAIRED = "screen.paired"
    UNIT_ENROLLED = "unit.enrolled"
    DEVICE_CLOSED = "device.closed"
    DEVICE_REOPENED = "device.reopened"
    UNIT_WIPED = "unit.wiped"
    CAMERA_TURNED = "camera.turned"
    # visits
    VISIT_PLANNED = "visit.planned"
    VISIT_READ = "visit.read"
    VISIT_MOVED = "visit.moved"
    VISIT_CANCELLED = "visit.cancelled"
    VISIT_HANDED_OVER = "visit.handed_over"
    VISIT_MISSED = "visit.missed"
    VISIT_CALLED_OFF = "visit.called_off"
    VISIT_RESTORED = "visit.restored"
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
    FOLLOW_UP_CLOSED = "follow_up.closed"
    # everything that was not allowed
    REFUSED = "action.refused"
