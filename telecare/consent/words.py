"""A consent as a sentence, from the same values the gate tests."""

from datetime import date, datetime, timedelta

from babel.dates import format_date

from telecare.consent.model import STOCKHOLM, Consent
from telecare.runtime.texts import text


def sentence(consent: Consent, language: str) -> str:
    """ "Videosamtal på teven, 08–21, till 31 mars 2027." """
    what = text(language, f"consent.sentence.{consent.purpose}", n=consent.answer_after_s or 0)
    hours = ""
    if consent.hours is not None:
        hours = text(
            language,
            "consent.sentence.hours",
            start=f"{consent.hours.start:%H:%M}",
            end=f"{consent.hours.end:%H:%M}",
        )
    said = text(
        language,
        f"consent.sentence.{consent.decision}",
        what=what,
        hours=hours,
        until=until(consent, language),
    )
    if consent.emergency_allowed:
        return f"{said} {text(language, 'consent.sentence.emergency')}"
    return said


def until(consent: Consent, language: str) -> str:
    if consent.valid_until is None:
        return text(language, "consent.sentence.open_ended")
    last = (consent.valid_until.astimezone(STOCKHOLM) - timedelta(seconds=1)).date()
    return text(language, "consent.sentence.until", date=long_date(last, language))


def details(consent: Consent, language: str) -> str:
    """What goes with it: nothing is kept, and it can be taken back."""
    return text(language, f"consent.details.{consent.purpose}")


def given(consent: Consent, party: str, language: str) -> str:
    """ "Lämnat av Ingrid, muntligt, 28 mars 2026." """
    return text(
        language,
        f"consent.was_given.{consent.given}",
        party=party,
        date=long_date(local_date(consent.recorded_at), language),
    )


def long_date(day: date, language: str) -> str:
    return format_date(day, format="long", locale=language)


def local_date(moment: datetime) -> date:
    return moment.astimezone(STOCKHOLM).date()
