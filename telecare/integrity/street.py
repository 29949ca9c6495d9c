"""When two addresses are the same: street, number and entrance letter. Flat, floor, care-of and
town do not count; a postcode does when both have one. Pure.
"""

import re
import unicodedata
from dataclasses import dataclass

_NUMBERED = re.compile(r"(?P<name>\D*[^\W\d_]\D*?)\s*(?P<number>\d+)\s*(?P<entrance>[a-zåäö]\b)?")
_POSTCODE = re.compile(r"(?<!\d)(?:se?-)?(\d{3})\s?(\d{2})(?!\d)")
_NOT_THE_STREET = re.compile(r"^\s*(c/o|lgh|lägenhet|vån|våning|plan|bv|nb|\d+\s*tr)\b")
_SHORT = (
    (re.compile(r"(?<=\w)g\.(?=\s|\d|$)"), "gatan"),
    (re.compile(r"(?<=\w)v\.(?=\s|\d|$)"), "vägen"),
    (re.compile(r"(?<!\w)g\.(?=\s|\d|$)"), "gatan"),
    (re.compile(r"(?<!\w)v\.(?=\s|\d|$)"), "vägen"),
    (re.compile(r"(?<!\w)(?:s:t|sankt|st\.)(?!\w)"), "sankt"),
    (re.compile(r"(?<!\w)s:ta(?!\w)"), "sankta"),
)


@dataclass(frozen=True, slots=True)
class Street:
    """`key` is the same for the same street, number and entrance; `postcode` is empty when not
    known.
    """

    key: str
    postcode: str

    @property
    def place(self) -> str:
        """Empty when the postcode is not known."""
        return f"{self.key}|{self.postcode}" if self.postcode else ""


def read_street(address: str, postcode: str = "") -> Street | None:
    """None when nothing is left of it. `postcode` where it stands by itself."""
    text = unicodedata.normalize("NFKC", address).lower().replace("é", "e")
    found = _POSTCODE.search(postcode) or _POSTCODE.search(text)
    text = _POSTCODE.sub(",", text)
    parts = [part for part in re.split(r"[,;\n]", text) if not _NOT_THE_STREET.match(part)]
    numbered = [match for part in parts if (match := _NUMBERED.match(part.strip()))]
    if numbered:
        match = numbered[0]
        key = f"{_letters(match['name'])} {int(match['number'])}{match['entrance'] or ''}"
    else:
        key = next((letters for part in parts if (letters := _letters(part))), "")
    return Street(key, "".join(found.groups()) if found else "") if key else None


def _letters(name: str) -> str:
    for short, whole in _SHORT:
        name = short.sub(whole, name)
    return re.sub(r"[\W_]", "", name)
