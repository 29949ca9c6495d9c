"""What an extract says, for people: her story by day, in plain words, and what that proves.

Made of the same texts as the proofs beside it. Never more than these can show.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from telecare.audit.actions import Action
from telecare.audit.format import Document
from telecare.integrity.extract_store import Kept
from telecare.integrity.records import Entered, document
from telecare.integrity.words import AuditWords
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.texts import text
from telecare.wire.signalling import Language

TRIED = (Action.CALL_RUNG, Action.CALL_ANSWERED)
"""What may come to nothing: no picture was ever opened."""


@dataclass(frozen=True, slots=True)
class About:
    """`whose` empty: one with protected identity."""

    whose: str
    is_hers: bool
    municipality: str
    case: str
    language: Language
    numbers: tuple[int, int]
    made_at: datetime
    program_digest: str


@dataclass(frozen=True, slots=True)
class Seal:
    """A log's head in this extract: its key, and who else has signed it when; `before`: who has
    signed an older one, that her records came after.
    """

    origin: str
    fingerprint: str
    seen: Sequence[tuple[str, datetime]]
    before: Sequence[tuple[str, datetime]]
    stamped: tuple[int, str, datetime] | None = None
    """The log's number, the authority that stamped the head, and its time."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A record as far as it is shown. `others`: how many more it is about."""

    entered: Entered
    withheld: Mapping[str, str]
    others: int

    @classmethod
    def of(cls, kept: Kept, withheld: Mapping[str, str]) -> "Shown":
        envelope = json.loads(kept.entry)
        shown = {name: document(kept.texts[name]) for name in kept.texts if name not in withheld}
        entered = Entered(
            entry_id=kept.index,
            at=datetime.fromisoformat(envelope["at"]),
            event=envelope["ev"],
            actor=shown.get("actor", {}),
            what=shown.get("what", {}),
            basis=shown.get("basis", {}),
            persons=(),
            has_text=kept.seed is not None,
            n=kept.n,
        )
        return cls(entered, withheld if kept.seed else {}, max(0, len(kept.persons) - 1))


@dataclass(frozen=True, slots=True)
class Row:
    """One record in words. `notes`: explanations, what is withheld and why, what is erased."""

    number: int
    time: str
    what: str
    who: str
    why: str
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    rows: Sequence[Row]


def as_pdf(report: "Report") -> bytes:
    """Slow: not on the loop."""
    from telecare.integrity import report_pdf  # noqa: PLC0415 - slow to load, and seldom wanted

    return report_pdf.document(report)


@dataclass(frozen=True, slots=True)
class Report:
    language: str
    title: str
    lead: str
    facts: Sequence[tuple[str, str]]
    days: Sequence[Day]
    proves: Sequence[str]
    """What is proved by the package, against whom and until when; and what is not."""
    checks: Sequence[str]
    """How anybody checks it."""
    readme: str
    page_of: str
    """With `{page}`: at the foot of a page."""
    heads: tuple[str, str]
    """Over `proves` and over `checks`."""

    @classmethod
    def of(cls, about: About, records: Sequence[Shown], seals: Sequence[Seal]) -> "Report":
        told = _Told(about, AuditWords(about.language), records, seals)
        return cls(
            language=about.language,
            title=told.say("report.title.hers" if about.is_hers else "report.title"),
            lead=told.say("report.lead.hers" if about.is_hers else "report.lead"),
            facts=told.facts(),
            days=list(told.days()),
            proves=told.proves(),
            checks=told.checks(),
            readme=told.readme(),
            page_of=told.say("report.page", case=about.case, page="{page}"),
            heads=(told.say("report.proves"), told.say("report.checks")),
        )


class _Told:
    """The sentences, in the language of whoever asked."""

    def __init__(
        self, about: About, words: AuditWords, records: Sequence[Shown], seals: Sequence[Seal]
    ) -> None:
        self.about, self.words, self.records, self.seals = about, words, records, seals
        self.opened = {
            str(one.entered.what["call_id"])
            for one in records
            if one.entered.event == Action.CALL_OPENED and one.entered.what.get("call_id")
        }
        self.consents = {
            str(one.entered.what["consent_id"]): one.entered.n or 0
            for one in records
            if one.entered.event == Action.CONSENT_GIVEN and one.entered.what.get("consent_id")
        }

    def say(self, key: str, **values: str | int) -> str:
        return text(self.about.language, key, **values)

    # --- above the story ----------------------------------------------------------------------

    def facts(self) -> Sequence[tuple[str, str]]:
        first, last = self.about.numbers
        given = [
            ("whose", self.about.whose or self.words.say("protected.name")),
            ("municipality", self.about.municipality),
            ("case", self.about.case),
            ("made_at", self.words.moment(self.about.made_at)),
            ("numbers", self.say("report.no_gap", first=first, last=last)),
            ("records", str(len(self.records))),
            ("looks", self.looks()),
            ("withheld", self.withheld()),
            ("erased", str(sum(not one.entered.has_text for one in self.records))),
        ]
        return [(self.say(f"report.fact.{key}"), value) for key, value in given if value]

    def looks(self) -> str:
        """A preparation without a picture is no look."""
        lit = {
            str(one.entered.what.get("call_id"))
            for one in self.records
            if one.entered.event == Action.CALL_OPENED
            and one.entered.what.get("home_picture") is True
        }
        hidden = sum("what" in one.withheld for one in self.records)
        if hidden:
            return self.say("report.looks_at_least", n=len(lit), hidden=hidden)
        return str(len(lit))

    def withheld(self) -> str:
        statutes = sorted({statute for one in self.records for statute in one.withheld.values()})
        count = sum(bool(one.withheld) for one in self.records)
        if not count:
            return self.say("report.withheld.none")
        return self.say("report.withheld", n=count, statutes=", ".join(statutes))

    # --- the story ----------------------------------------------------------------------------

    def days(self) -> Iterator[Day]:
        by_day = groupby(self.records, key=lambda one: one.entered.at.astimezone(STOCKHOLM).date())
        for _, of_day in by_day:
            listed = list(of_day)
            yield Day(self.words.day(listed[0].entered.at), [self.row(one) for one in listed])

    def row(self, one: Shown) -> Row:
        entered = one.entered
        if not entered.has_text:
            return Row(
                entered.n or 0, self.words.minute(entered.at), self.words.action(entered.event),
                "", "", [self.say("report.erased")],
            )  # fmt: skip
        who = "" if "actor" in one.withheld else self.who(entered.actor)
        what = (
            self.words.action(entered.event) if "what" in one.withheld else self.words.what(entered)
        )
        return Row(
            number=entered.n or 0,
            time=self.words.minute(entered.at),
            what=what,
            who=who,
            why=self.why(entered),
            notes=list(self.notes(one)),
        )

    def who(self, actor: Document) -> str:
        who = self.words.who(actor)
        return f"{who.name}, {who.small}" if who.small else who.name

    def why(self, entered: Entered) -> str:
        """The purpose and the rule, and by which of her own statements."""
        why = self.words.why(entered)
        numbers = [
            self.say("report.consent", n=self.consents[one])
            for one in _consent_ids(entered.basis)
            if one in self.consents
        ]
        return ", ".join([*([why] if why else []), *numbers])

    def notes(self, one: Shown) -> Iterator[str]:
        call = one.entered.what.get("call_id")
        if one.entered.event in TRIED and call and str(call) not in self.opened:
            yield self.say("report.preparation")
        if one.others:
            yield self.say("report.others", n=one.others)
        for section, statute in sorted(one.withheld.items()):
            name = self.words.say(f"audit.section.{section}")
            yield self.say("report.hidden", section=name, statute=statute)

    # --- below it -----------------------------------------------------------------------------

    def proves(self) -> Sequence[str]:
        first, last = self.about.numbers
        said = [self.say("report.proves.numbers", first=first, last=last)]
        for seal in self.seals:
            seen = [
                self.say("report.proves.seen", witness=name, at=self.words.moment(at))
                for name, at in seal.seen
            ]
            said += [
                self.say("report.proves.after", witness=name, at=self.words.moment(at))
                for name, at in seal.before
            ]
            said += seen or [self.say("report.proves.unseen", log=seal.origin)]
            if seal.stamped:
                _, name, at = seal.stamped
                moment = self.words.moment(at)
                said.append(self.say("report.proves.stamped", authority=name, at=moment))
        return [*said, self.say("report.proves.times"), self.say("report.proves.not")]

    def checks(self) -> Sequence[str]:
        return [
            self.say("report.checks.run"),
            *(
                self.say("report.checks.key", log=seal.origin, fingerprint=seal.fingerprint)
                for seal in self.seals
            ),
            self.say("report.checks.elsewhere"),
            self.say("report.checks.program", digest=self.about.program_digest),
        ]

    def readme(self) -> str:
        first, last = self.about.numbers
        who = self.about.whose or self.words.say("protected.name")
        parts = [
            self.say("readme.title", whose=who, first=first, last=last),
            self.say("readme.read"),
            self.say("readme.files"),
            *(f"{n}. {step}" for n, step in enumerate(self.checks(), 1)),
            *(
                self.say("readme.stamped", log=seal.stamped[0], authority=seal.stamped[1])
                for seal in self.seals
                if seal.stamped
            ),
            self.say("readme.fhir"),
            self.say("readme.fits"),
            *self.proves(),
        ]
        return "\n\n".join(parts) + "\n"


def _consent_ids(basis: Document) -> Sequence[str]:
    listed = basis.get("consents")
    quoted = listed if isinstance(listed, list) else []
    return [str(one["consent_id"]) for one in quoted if isinstance(one, dict)]
