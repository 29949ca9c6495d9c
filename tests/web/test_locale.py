"""Every text exists in each language, is used, and is said in the same way."""

import re
from functools import cache

import pytest

from telecare.web import page_texts
from telecare.wire.errors import Code

from .source import LANGUAGES, TELECARE, TEMPLATES, catalogue, modules_of, own_scripts

PLURAL = re.compile(r"_(one|other)$")
FROM_SERVER = ("action.",)
"""Keys that come as values in what the server answers."""
INSTEAD = (
    "bildsamtal",
    "bildtillsyn",
    "titta in",
    "titt-in",
    "sjuksköterska",
    "journal",
    "falsklarm",
    "kvittera",
    "larmcentral",
    "utryckning",
    "svarar själv om",
)
"""Words that the pages do not use; words.md of the design says which they use instead."""

MAY_SAY = {"larmcentral": ("admin.centre.", "action.alarm.centre_")}
"""The answering centre is called so; the unit's own larmmottagare are not."""


@cache
def sources() -> str:
    paths = own_scripts() + sorted(TEMPLATES.rglob("*.html")) + sorted(TELECARE.rglob("*.py"))
    return "\n".join(path.read_text("utf-8") for path in paths)


@cache
def literals() -> frozenset[str]:
    return frozenset(re.findall(r"""["'`]([a-z_]+(?:\.[\w-]+)+)["'`]""", sources()))


@cache
def prefixes() -> frozenset[str]:
    begun = re.findall(r"""[`"']([a-z_]+(?:\.[\w-]+)*\.)(?:\$\{|\{|["'])""", sources())
    return frozenset(begun) | frozenset(FROM_SERVER)


def base(key: str) -> str:
    return PLURAL.sub("", key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_has_the_same_keys(language: str):
    assert set(catalogue(language)) ^ set(catalogue("sv")) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_has_no_empty_text(language: str):
    assert [key for key, text in catalogue(language).items() if not text.strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_fills_the_same_places(language: str):
    swedish = catalogue("sv")
    places = re.compile(r"\{(\w*)\}")
    differ = [
        key
        for key, text in catalogue(language).items()
        if set(places.findall(text)) != set(places.findall(swedish[key]))
    ]
    assert differ == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_come_in_pairs(language: str):
    keys = set(catalogue(language))
    lone = [
        k for k in keys if PLURAL.search(k) and not {f"{base(k)}_one", f"{base(k)}_other"} <= keys
    ]
    assert lone == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_a_sentence(language: str):
    texts = catalogue(language)
    assert [code for code in Code if f"error.{code}" not in texts] == []
    assert [code for code in Code if not texts[f"error.{code}"].endswith(".")] == []


def test_every_key_that_a_page_asks_for_exists():
    keys = {base(key) for key in catalogue("sv")} | set(catalogue("sv"))
    asked = set(re.findall(r"""\bt\(\s*["']([\w.-]*\w)["']""", sources()))
    assert sorted(asked - keys) == []
    begun = set(re.findall(r"""\bt\(\s*`([\w.-]+\.)\$\{""", sources()))
    assert [start for start in sorted(begun) if not any(k.startswith(start) for k in keys)] == []


def test_what_a_staff_page_shows_at_once_it_has_at_once():
    modules = [path for path in modules_of("staff/main.js") if path.name != "preact.js"]
    asked = set(re.findall(r"""["'`]([a-z_]+\.)[\w.$]""", "".join(p.read_text() for p in modules)))
    assert sorted(asked & set(page_texts.LATER)) == []


def test_every_text_is_used():
    unused = [
        key
        for key in catalogue("sv")
        if base(key) not in literals() and not key.startswith(tuple(prefixes()))
    ]
    assert unused == []


def test_finnish_never_inflects_what_is_filled_in():
    glued = re.compile(r"\{\w+\}[:'\u2019]?[a-zåäö]", re.IGNORECASE)
    assert [key for key, text in catalogue("fi").items() if glued.search(text)] == []


def test_swedish_never_makes_a_genitive_of_a_name():
    glued = re.compile(r"\{\w+\}[:'\u2019]?[a-zåäö]", re.IGNORECASE)
    assert [key for key, text in catalogue("sv").items() if glued.search(text)] == []


@pytest.mark.parametrize("word", INSTEAD)
def test_swedish_uses_the_agreed_words(word: str):
    found = [key for key, text in catalogue("sv").items() if word in text.lower()]
    assert [key for key in found if not key.startswith(MAY_SAY.get(word, ()))] == []
