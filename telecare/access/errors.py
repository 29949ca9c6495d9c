"""Refusals about who somebody is and what she may do."""

from telecare.runtime.errors import Refusal, TelecareError
from telecare.wire.errors import Code


class SignInNeeded(TelecareError):
    status = 401
    code = Code.SIGN_IN_NEEDED


class SessionLocked(TelecareError):
    """Idle for half an hour: sign in again to go on, nothing is lost."""

    status = 401
    code = Code.SESSION_LOCKED


class SignInFailed(TelecareError):
    status = 401
    code = Code.SIGN_IN_FAILED


class InvitationExpired(TelecareError):
    status = 410
    code = Code.INVITATION_EXPIRED


class NotPermitted(Refusal):
    code = Code.NOT_PERMITTED


class StaffGone(Refusal):
    code = Code.STAFF_REVOKED


class NotAssigned(Refusal):
    code = Code.NOT_ASSIGNED


class NotOnShift(Refusal):
    code = Code.NOT_ON_SHIFT


class ShiftAlreadyBegun(TelecareError):
    code = Code.SHIFT_ALREADY_BEGUN


class LastHead(Refusal):
    """The unit would have nobody who leads it."""

    status = 409
    code = Code.LAST_HEAD


class TrainingMissing(TelecareError):
    """Nattillsyn is given with the date of training and an end date."""

    status = 422
    code = Code.TRAINING_MISSING


class NameTaken(TelecareError):
    """The list has it already."""

    code = Code.NAME_TAKEN
