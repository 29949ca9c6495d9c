"""The protocol of a log review (HSLF-FS 2016:40 4:9, documented checks): what was drawn and how,
what each came to, who signed. No resident stands in it: the number leads to the record.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import get_args

from telecare.integrity.report import Day, Report, Row
from telecare.integrity.reviews_store import Item, Review, Verdict
from telecare.integrity.words import AuditWords
from telecare.runtime.clock import STOCKHOLM


def protocol(review: Review, items: Sequence[Item], municipality: str, language: str) -> Report:
    """Drawn by `report.as_pdf`."""
    words = AuditWords(language)
    period = words.span(review.since, review.until)
    return Report(
        language=language,
        title=words.say("audit.review.title", period=period),
        lead=f"{review.unit_name}, {municipality}",
        facts=_facts(words, review, items),
        days=[
            Day(words.day(listed[0].at), [_row(words, one) for one in listed])
            for listed in (
                list(of_day)
                for _, of_day in groupby(items, lambda one: one.at.astimezone(STOCKHOLM).date())
            )
        ],
        proves=_drawn(words, review),
        checks=_signed(words, review),
        readme="",
        page_of=words.say("audit.protocol.page", period=period, page="{page}"),
        heads=(words.say("audit.review.how"), words.say("audit.protocol.end")),
    )


def _facts(words: AuditWords, review: Review, items: Sequence[Item]) -> list[tuple[str, str]]:
    counted = Counter(one.outcome for one in items)
    outcomes: tuple[Verdict, ...] = get_args(Verdict)
    drawn_name = review.drawn_name or words.say("protected.name")
    return [
        (words.say("audit.protocol.drawn"), f"{words.moment(review.drawn_at)}, {drawn_name}"),
        (words.say("audit.protocol.population"), str(review.population)),
        (words.say("audit.protocol.items"), str(len(items))),
        *((words.say(f"audit.outcome.{one}"), str(counted[one])) for one in outcomes),
        (words.say("audit.review.left"), str(counted[None])),
    ]


def _row(words: AuditWords, one: Item) -> Row:
    outcome = words.say(f"audit.outcome.{one.outcome}") if one.outcome else ""
    notes = [f"{words.say('audit.review.question')}: {one.question}"] if one.question else []
    if one.note and one.answered_name is not None:
        notes.append(f"{words.say('audit.review.answer')}: {one.note}")
    notes += [one.comment] if one.comment else []
    return Row(
        number=one.entry_id,
        time=words.minute(one.at),
        what=f"{words.action(one.event)}{f': {outcome.lower()}' if outcome else ''}",
        who="",
        why=" ".join(words.hit(hit) for hit in one.hits) or words.say("audit.review.no_hit"),
        notes=notes,
    )


def _drawn(words: AuditWords, review: Review) -> list[str]:
    if review.seed_witness:
        name = review.seed_witness.split("+")[0]
        seed = words.say("audit.review.seed_witness", name=name)
    else:
        seed = words.say("audit.review.seed_own")
    place = words.say(
        "audit.protocol.head", log=review.seed_log, size=review.seed_size,
        root=review.seed_root.hex(),
    )  # fmt: skip
    held = [words.counted(one, n, review.population) for one, n in review.checks]
    return [seed, place, *(held or [words.say("audit.own.nothing")])]


def _signed(words: AuditWords, review: Review) -> list[str]:
    if review.signed_at is None:
        return [words.say("audit.protocol.unsigned")]
    who = review.signed_name or words.say("protected.name")
    signed = words.say("audit.reviews.signed", who=who, at=words.long_day(review.signed_at))
    return [review.statement or "", signed]
