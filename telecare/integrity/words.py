"""Records of the log in words: what happened, who did it, about whom, why it was allowed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from babel.dates import format_date

from telecare.audit.actions import Action
from telecare.audit.format import Document, Value
from telecare.consent.words import local_date, long_date
from telecare.integrity.records import Entered, Named
from telecare.integrity.rules import Check, Hit, Rule, StaffRule
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.texts import catalogue, text

NAMES_SHOWN = 3
_KIN = StaffRule.REGISTERED_RELATIVE
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d.*")
IN_WORDS = {
    "assignment_source": "audit.source.",
    "capacity": "request.capacity.",
    "channel": "audit.value.",
    "code": "error.",
    "decision": "audit.decision.",
    "event_held": "action.",
    "event_searched": "action.",
    "identified_by": "request.identified.",
    "kind": "audit.value.",
    "known": "audit.known.",
    "outcome": "request.outcome.",
    "part": "request.part.",
    "purpose": "purpose.",
    "purpose_searched": "purpose.",
    "reason": "audit.end.",
    "not_compared": "audit.own.why.",
    "role": "role.",
    "roles": "role.",
    "rule": "audit.own.rule.",
    "rules": "audit.own.rule.",
    "search_reason": "audit.reason.",
    "signed_in_by": "audit.value.",
    "source": "audit.source.",
    "tried": "action.",
}
"""Keys whose values have texts of their own; others are shown as they are."""
LEADS_TO = {
    "call_id": "/audit/calls/",
    "entry": "/audit/records/",
    "home_of": "/audit/residents/",
    "read_call_id": "/audit/calls/",
    "request_id": "/audit/requests/",
    "resident_id": "/audit/residents/",
    "staff_id": "/audit/staff/",
}
ICONS = {
    "action": "warn",
    "call": "video",
    "hold": "shield",
    "camera": "video",
    "consent": "shield",
    "objection": "shield",
    "assignment": "person",
    "session": "person",
    "shift": "person",
    "log": "search",
    "residents": "search",
}


@dataclass(frozen=True, slots=True)
class Who:
    name: str
    small: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A value of a record, with its label."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    entries: Sequence[Entered]


@dataclass(frozen=True, slots=True)
class AuditWords:
    """In one language; times are Swedish local ones."""

    language: str

    def say(self, key: str, **values: str | int) -> str:
        return text(self.language, key, **values)

    def _known(self, key: str, otherwise: str) -> str:
        return catalogue(self.language).get(key, otherwise)

    # --- times --------------------------------------------------------------------------------

    def moment(self, at: datetime | None) -> str:
        """2026-11-23 10:05:12"""
        return "" if at is None else f"{at.astimezone(STOCKHOLM):%Y-%m-%d %H:%M:%S}"

    def minute(self, at: datetime) -> str:
        return f"{at.astimezone(STOCKHOLM):%H:%M}"

    def hundredths(self, at: datetime) -> str:
        """10:05:12,34"""
        local = at.astimezone(STOCKHOLM)
        return f"{local:%H:%M:%S},{local.microsecond // 10_000:02}"

    def seconds(self, apart: timedelta | None) -> str:
        """3,0"""
        return "" if apart is None else f"{apart.total_seconds():.1f}".replace(".", ",")

    def long_day(self, at: datetime) -> str:
        """22 november 2026"""
        return long_date(local_date(at), self.language)

    def calendar_day(self, day: date) -> str:
        """22 november 2026"""
        return long_date(day, self.language)

    def day(self, at: datetime) -> str:
        """Söndag 22 november 2026"""
        return self._day(at.astimezone(STOCKHOLM).date())

    def short_day(self, at: datetime) -> str:
        """22 nov."""
        words: str = format_date(local_date(at), "d MMM", locale=self.language)
        return words

    def span(self, since: datetime, until: datetime) -> str:
        """1 oktober 2026 – 31 oktober 2026; `until` is not included."""
        last = local_date(until - timedelta(seconds=1))
        return self.say(
            "audit.span", since=self.long_day(since), until=long_date(last, self.language)
        )

    def _day(self, day: date) -> str:
        words: str = format_date(day, "EEEE d MMMM y", locale=self.language)
        return words[:1].upper() + words[1:]

    def days(self, entries: Sequence[Entered]) -> Iterator[Day]:
        by_day = groupby(entries, key=lambda one: one.at.astimezone(STOCKHOLM).date())
        for day, of_day in by_day:
            yield Day(self._day(day), list(of_day))

    # --- a record -----------------------------------------------------------------------------

    def what(self, entry: Entered) -> str:
        match entry.event, entry.what:
            case Action.CAMERA_TURNED, {"on": True}:
                return self.say("audit.what.camera_on")
            case Action.CAMERA_TURNED, {"seconds": int(n)}:
                return self.say("audit.what.camera_off", n=n)
            case Action.CALL_ENDED, {"seconds": int(n)}:
                return self.say("audit.what.call_ended", n=n)
            case Action.REFUSED, {"tried": str(tried)}:
                return self.say("audit.what.refused", what=self.action(tried))
            case _, {"purpose": str(purpose), "consent_id": _}:
                return f"{self.action(entry.event)}: {self._known(f'purpose.{purpose}', purpose)}"
        return self.action(entry.event)

    def action(self, event: str) -> str:
        return self._known(f"action.{event}", event)

    def hit(self, hit: Hit) -> str:
        """Why a record is looked at."""
        values = dict(hit.values)
        if "relation" in values:
            values["relation"] = self.say(f"relations.kind.{values['relation']}").lower()
        if "day" in values:
            values["day"] = self.calendar_day(date.fromisoformat(str(values["day"])))
        return self.say(f"audit.rule.{hit.rule}", **values)

    def check(self, check: Check, hits: Sequence[Hit] = ()) -> str:
        """What a rule on staff's own data was held against; empty when one of the hits tells."""
        if check.day is None:
            why = self.say(f"audit.own.why.{check.why}")
            return self.say("audit.own.not_checked", what=self.own_rule(check.rule), why=why)
        own = check.rule == _KIN and any(hit.rule == Rule.OWN_RECORD for hit in hits)
        if own or any(str(hit.rule) == str(check.rule) for hit in hits):
            return ""
        return self.say(f"audit.own.none.{check.rule}", day=self.calendar_day(check.day))

    def own_rule(self, rule: StaffRule) -> str:
        return self.say(f"audit.own.rule.{rule}")

    def counted(self, check: Check, n: int, population: int) -> str:
        """Of how many of all it was so."""
        what = self.own_rule(check.rule)
        if check.day is None:
            why = self.say(f"audit.own.why.{check.why}")
            return self.say("audit.own.counted_not", what=what, why=why, n=n, population=population)
        day = self.calendar_day(check.day)
        return self.say("audit.own.counted", what=what, day=day, n=n, population=population)

    def finding(self, kind: str, values: Mapping[str, str | int] | None = None) -> str:
        """What was found; one without a text is named, for the page must not fail then."""
        if f"finding.{kind}" not in catalogue(self.language):
            return kind
        shown = {**(values or {})}
        if isinstance(tenths := shown.get("tenths_of_seconds"), int):
            shown["seconds"] = self.seconds(timedelta(milliseconds=100 * tenths))
        if isinstance(at := shown.get("at"), str):
            shown["at"] = self._instant(at)
        return self.say(f"finding.{kind}", **shown)

    def icon(self, entry: Entered) -> str:
        return ICONS.get(entry.event.split(".")[0], "note")

    def who(self, actor: Document) -> Who:
        kind, its_id = str(actor.get("kind", "")), str(actor.get("id", ""))
        match kind:
            case "staff":
                name, roles = str(actor.get("name", "")), self._roles(actor.get("roles"))
                unit = str(actor.get("unit_name", ""))
                if not name:
                    name, unit = self.say("protected.name"), f"{roles}, {unit}"
                return Who(name, unit, f"/audit/staff/{its_id}")
            case "home":
                return Who(
                    self._known(f"audit.who.{actor.get('channel')}", self.say("audit.who.tv"))
                )
            case "system" | "nobody":
                return Who(self.say(f"audit.who.{kind}"))
            case "operator" | "database_login":
                return Who(self.say(f"audit.who.{kind}"), its_id)
        return Who(its_id or self.say("audit.who.unknown"))

    def _roles(self, roles: Value) -> str:
        listed = roles if isinstance(roles, list) else []
        return ", ".join(self._known(f"role.{one}", str(one)) for one in listed)

    def name(self, person: Named) -> str:
        return person.name or self.say("protected.name")

    def whom(self, entry: Entered) -> str:
        names = [self.name(person) for person in entry.persons]
        more = len(names) - NAMES_SHOWN
        if more > 0:
            return f"{', '.join(names[:NAMES_SHOWN])} {self.say('audit.and_more', n=more)}"
        return ", ".join(names)

    def why(self, entry: Entered) -> str:
        """Why it was allowed, or why not, as far as the record says."""
        both = {**entry.basis, **entry.what}
        parts = [
            self._value(key, both[key])
            for key in ("assignment_source", "purpose", "code")
            if both.get(key) and not (key == "purpose" and "consent_id" in both)
        ]
        if isinstance(consents := both.get("consents"), list):
            parts.append(self.say("audit.why.consents", n=len(consents)))
        if entry.event == Action.BREAK_GLASS_OPENED and both.get("kind"):
            parts.append(self.say(f"anyway.kind.{both['kind']}"))
        parts += [str(both["law"])] if both.get("law") else []
        parts += [reason] if (reason := self.reason(entry)) else []
        return ", ".join(part.rstrip(".") for part in parts)

    def reason(self, entry: Entered) -> str:
        """What was said, or why a call or a camera ended."""
        reason = entry.what.get("reason")
        return "" if reason in {None, "", "call"} else self._value("reason", reason)

    # --- all of a section ---------------------------------------------------------------------

    def lines(self, section: Document) -> list[Line]:
        return list(self._lines(section, ""))

    def _lines(self, section: Document, of: str) -> Iterator[Line]:
        for key, value in section.items():
            label = of + self._known(f"audit.field.{key}", key)
            if isinstance(value, dict):
                yield from self._lines(value, f"{label}: ")
            elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
                for place, one in enumerate(value, 1):
                    inner = one if isinstance(one, dict) else {"": one}
                    yield from self._lines(inner, f"{label} {place}: ")
            else:
                yield Line(label, self._value(key, value), self._href(key, value))

    def _value(self, key: str, value: Value) -> str:
        match value:
            case None:
                return self.say("audit.nothing")
            case bool():
                return self.say("audit.yes" if value else "audit.no")
            case list():
                return self._listed(key, value)
            case str() if key in IN_WORDS:
                return self._known(f"{IN_WORDS[key]}{value}", value)
            case str() if INSTANT.fullmatch(value):
                return self._instant(value)
        return str(value)

    def _listed(self, key: str, values: Sequence[Value]) -> str:
        match values:
            case [int(first), int(last)] if key == "leaves":
                return str(first) if first == last else f"{first}\N{EN DASH}{last}"
        return ", ".join(self._value(key, one) for one in values) or self.say("audit.nothing")

    def _instant(self, value: str) -> str:
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return self.moment(at if at.tzinfo else at.replace(tzinfo=UTC))

    def _href(self, key: str, value: Value) -> str:
        if key in LEADS_TO and isinstance(value, str | int):
            return f"{LEADS_TO[key]}{value}"
        return ""
