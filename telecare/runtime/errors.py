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
    """A command of ours has no sense here; the message is for the person at the terminal."""


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
