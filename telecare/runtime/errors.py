"""What can be refused, raised where it is known and translated once, at the border."""

from typing import TYPE_CHECKING, ClassVar, Protocol

from telecare.wire.errors import Code

if TYPE_CHECKING:
    from telecare.runtime.db import Transaction


class TelecareError(Exception):
    """Something was refused and nothing changed. `code` is public and stable."""

    status: ClassVar[int] = 409
    code: ClassVar[Code] = Code.INTERNAL

    def __init__(self, *fields: str) -> None:
        super().__init__(*fields)
        self.fields = fields
        """Names of the fields at fault, never their values."""


class CannotStart(Exception):
    """A command of ours has no sense here. What a class of these says of itself is read by the
    person at the terminal, after the message.
    """

    @property
    def told(self) -> str:
        """One line; a message that is a sentence already stands alone."""
        message = str(self)
        if message.endswith("."):
            return f"telecare: {message}"
        means = " ".join((type(self).__doc__ or "").split())
        about = f"{type(self).__name__}: {message}." if message else f"{type(self).__name__}."
        return f"telecare: {about} {means}".rstrip()


class WritableRecord(Protocol):
    """An audit record that can enter itself in the log of a transaction's tenant."""

    async def write(self, db: "Transaction") -> None: ...


class Refusal(TelecareError):
    """A refusal that is itself an event: its record is written after the work was rolled back."""

    status = 403

    def __init__(self, record: WritableRecord, *fields: str) -> None:
        super().__init__(*fields)
        self.record = record
        self.is_recorded = False
        """Set by the transaction it ended."""


class DatabaseUnavailable(TelecareError):
    """The database cannot be reached now; nothing was stored."""

    status = 503
    code = Code.UNAVAILABLE


class NotFound(TelecareError):
    """There is no such thing, or it is another tenant's: the answer is the same."""

    status = 404
    code = Code.NOT_FOUND


class FieldInvalid(TelecareError):
    """A field's value cannot be used."""

    status = 422
    code = Code.FIELD_INVALID
