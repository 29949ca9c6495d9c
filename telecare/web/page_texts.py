"""Which texts of the catalogue a page carries from the start, and which it fetches when needed."""

from collections.abc import Mapping

from telecare.runtime.texts import catalogue

TV = ("tv.",)
OF_TV_LATER = ("tv.alarm.", "tv.looks.", "tv.my_day.", "tv.yes.")
"""Of pages that are fetched when she goes there, or an alarm is out."""
LATER = (
    "after.", "alarm.", "anyway.", "begin.", "caller.", "card.", "change.", "consent.", "consents.",
    "device.", "device_state.", "devices.", "dispatch.", "disturbance.", "error.absence_",
    "error.alarm_closed", "error.alarm_taken", "error.already_", "error.camera_unusable",
    "error.contact_", "error.dispatch_", "error.emergency_", "error.follow_", "error.hand_",
    "error.looked_", "error.night_", "error.no_more_time", "error.not_your_alarm",
    "error.not_your_dispatch", "error.nothing_seen", "error.pairing_", "error.party_",
    "error.relative_", "error.room_", "error.series_", "error.speech_", "error.take_over_",
    "error.technical_", "error.yes_not_", "field.", "hand_over.", "hearing.", "held.", "night.",
    "notes.", "objection.", "offline.", "outage.", "pair.", "patrol.", "people.found",
    "people.more", "people.none", "people.search", "people.show_", "plan.", "priority.", "purpose.",
    "ready.", "recent.", "representative.", "shift_end.", "steps.", "taken_over.l", "taken_over.n",
    "taken_over.o", "task.", "technical.", "unanswered.", "why.",
)  # fmt: skip
"""Parts of the staff page that are fetched when needed, and the refusals that only they meet."""
SERVER_ONLY = (
    "action.", "admin.", "alarm.room.", "alarm_units.", "audit.", "consent.sentence.", "demo.",
    "ending.", "error.agreement_", "error.alarm_account", "error.alarm_key", "error.alarm_proof",
    "error.camera_not_ready", "error.check_", "error.end_before_start", "error.ending_",
    "error.extract_", "error.file_", "error.finding_", "error.incident_", "error.lan_",
    "error.last_head", "error.log_", "error.looks_", "error.message_", "error.name_",
    "error.national_id", "error.page_", "error.policy_too_soon", "error.request_", "error.review_",
    "error.seal_", "error.search_", "error.staff_data_", "error.staff_file_", "error.staff_row_",
    "error.start_code", "error.training_missing", "error.unit_", "finding.", "import.",
    "invitation.", "letter.", "lists.", "log_", "nights.", "pairing.", "permission.", "readme.",
    "refused.", "relations.", "report.", "request.", "role.", "rules.", "scale.", "shift_list.",
    "sign_in", "tv.",
)  # fmt: skip


def of_tv(language: str) -> Mapping[str, str]:
    """What the TV page needs at once."""
    return {
        key: words
        for key, words in catalogue(language).items()
        if key.startswith(TV) and not key.startswith(OF_TV_LATER)
    }


def of_tv_later(language: str) -> Mapping[str, str]:
    return {key: words for key, words in catalogue(language).items() if key.startswith(OF_TV_LATER)}


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
