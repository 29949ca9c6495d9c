"""Which texts of the catalogue a page carries from the start, and which it fetches when needed."""

from collections.abc import Mapping

from telecare.runtime.texts import catalogue

TV = ("tv.",)
LATER = (
    "after.", "begin.", "caller.", "card.", "change.", "consent.", "consents.", "device.",
    "device_state.", "error.pairing", "error.party", "error.policy", "error.relative",
    "error.series", "error.yes_not", "hand_over.", "held.", "objection.", "pair.", "plan.",
    "purpose.", "shift_end.", "unanswered.", "why.",
)  # fmt: skip
"""Parts of the staff page that are fetched when needed: a person's card, the forms, the shift."""
SERVER_ONLY = (
    "tv.", "demo.", "pairing.", "sign_in", "invitation.", "consent.sentence.", "action.", "admin.",
    "permission.", "refused.", "role.", "error.lan_", "error.start_code", "error.message_",
    "error.seal_", "error.unit_", "relations.", "shift_list.",
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
