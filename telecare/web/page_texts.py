"""Which texts of the catalogue a page carries from the start, and which it fetches when needed."""

from collections.abc import Mapping

from telecare.runtime.texts import catalogue

TV = ("tv.",)
LATER = (
    "after.", "begin.", "caller.", "card.", "change.", "consent.", "consents.", "device.",
    "device_state.", "error.pairing", "error.party", "error.policy", "error.relative",
    "error.series", "error.yes_not", "hand_over.", "held.", "notes.", "objection.", "pair.",
    "plan.", "purpose.", "shift_end.", "unanswered.", "why.",
)  # fmt: skip
"""Parts of the staff page that are fetched when needed: a person's card, the forms, the shift."""
SERVER_ONLY = (
    "tv.", "demo.", "pairing.", "sign_in", "invitation.", "consent.sentence.", "action.", "admin.",
    "error.end_before_start", "error.file_", "error.lan_", "error.last_head", "error.message_",
    "error.name_taken", "error.national_id", "error.policy_too_soon", "error.seal_",
    "error.start_code", "error.training_missing", "error.unit_", "hearing.", "import.", "lists.",
    "permission.", "priority.", "refused.", "relations.", "representative.", "role.", "rules.",
    "shift_list.",
)  # fmt: skip


def of_tv(language: str) -> Mapping[str, str]:
    return {key: words for key, words in catalogue(language).items() if key.startswith(TV)}


def of_staff(language: str) -> Mapping[str, str]:
    """What the staff page needs at once."""
    return {
        key: words
        for key, words in catalogue(language).items()
        if not key.startswith((*SERVER_ONLY, *LATER))
    }


def of_staff_later(language: str) -> Mapping[str, str]:
    return {
        key: words
        for key, words in catalogue(language).items()
        if key.startswith(LATER) and not key.startswith(SERVER_ONLY)
    }
