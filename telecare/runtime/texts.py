"""Texts by key in Swedish, Finnish and English; one catalogue for pages, speech and print."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

LANGUAGES = ("sv", "fi", "en")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Every text of a language; an unknown language reads as Swedish."""
    name = language if language in LANGUAGES else "sv"
    path = resources.files("telecare") / "locale" / f"{name}.json"
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def text(language: str, key: str, **values: str | int) -> str:
    """The sentence for `key`; `n` picks `_one` or `_other` (sv, fi and en need no more).

    Raises KeyError for an unknown key: a test keeps the catalogues complete.
    """
    texts = catalogue(language)
    if key not in texts and "n" in values:
        key = f"{key}_one" if values["n"] == 1 else f"{key}_other"
    return texts[key].format_map(values)
