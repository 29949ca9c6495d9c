"""The home's words in her language, and the file that says them: the municipality's, then ours.

A recorded file knows no names and no number of the municipality's, unless it made its own.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edge.alarm import Phrase
from telecare.wire.homes import HomeSettings, Language

OURS = Path(__file__).parent
SOUNDS = (".opus", ".ogg", ".wav", ".mp3")


@dataclass(frozen=True, slots=True)
class Words:
    """`text` may hold a given name: shown and spoken in the home, never logged."""

    phrase: Phrase
    language: Language
    text: str
    has_name: bool = False
    has_number: bool = False
    """A number of the municipality's."""


@cache
def texts(language: Language) -> dict[str, str]:
    loaded: dict[str, str] = json.loads((OURS / f"{language}.json").read_text("utf-8"))
    return loaded


def words(phrase: Phrase, by: str, settings: HomeSettings) -> Words:
    catalogue = texts(settings.language)
    key = "taken_unnamed" if phrase is Phrase.TAKEN and not by else phrase.value
    number = catalogue["number_or" if settings.phone else "number"].format(phone=settings.phone)
    return Words(
        phrase,
        settings.language,
        catalogue[key].format(by=by, number=number),
        has_name="{by}" in catalogue[key],
        has_number=bool(settings.phone) and "{number}" in catalogue[key],
    )


def sound_file(spoken: Words, folder: Path | None) -> Path | None:
    """None when nobody has recorded it there."""
    if folder is None:
        return None
    files = (folder / spoken.language / f"{spoken.phrase}{kind}" for kind in SOUNDS)
    return next((file for file in files if file.is_file()), None)
