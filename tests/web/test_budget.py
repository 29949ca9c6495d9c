"""Page weight: what a page loads, gzipped."""

import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from telecare.web import page_texts

from .source import LANGUAGES, STATIC, TEMPLATES, catalogue, modules_of

KB = 1000
AUDIT = ("audit.", "action.", "finding.", "role.", "purpose.")
STYLES = ("tokens", "audit")
FONTS = sorted((STATIC / "fonts").glob("*.woff2"))


def packed(data: bytes) -> int:
    return len(gzip.compress(data, 9))


def weight(template: str, entry: str, styles: list[str], texts: Mapping[str, str]) -> int:
    files = [*modules_of(entry), *(STATIC / "css" / name for name in styles)]
    page = (TEMPLATES / template).read_bytes() + json.dumps(texts, ensure_ascii=False).encode()
    fonts = sum(len(font.read_bytes()) for font in FONTS)
    return fonts + packed(page) + sum(packed(file.read_bytes()) for file in files)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_television_page_is_light(language: str):
    texts = page_texts.of_tv(language)
    assert weight("tv/app.html", "tv/main.js", ["tokens.css", "tv.css"], texts) <= 60 * KB


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_staff_page_is_light(language: str):
    texts = page_texts.of_staff(language)
    styles = ["tokens.css", "staff.css", "live.css"]
    assert weight("staff/app.html", "staff/main.js", styles, texts) <= 80 * KB


@pytest.mark.parametrize("page", sorted((TEMPLATES / "audit").glob("*.html")), ids=lambda p: p.name)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_of_the_log_are_light_with_a_hundred_records_on_them(page: Path, language: str):
    """Text made on the server: each page is weighed as if it carried every text of the portal."""
    texts = {k: words for k, words in catalogue(language).items() if k.startswith(AUDIT)}
    records = "".join(
        f'<li data-test="event"><time>{n}</time><a href="/audit/records/{hash((n, 1))}">{n}</a>'
        f'<a href="/audit/staff/{hash((n, 2))}">{n}</a></li>'
        for n in range(100)
    )
    frames = b"".join((TEMPLATES / name).read_bytes() for name in ("base.html", "icons.html"))
    styles = sum(packed((STATIC / "css" / f"{name}.css").read_bytes()) for name in STYLES)
    made = page.read_bytes() + frames + records.encode() + json.dumps(texts).encode()
    fonts = sum(len(font.read_bytes()) for font in FONTS)
    assert fonts + styles + packed(made) <= 50 * KB


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_lost_between_now_and_later(language: str):
    now, later = page_texts.of_staff(language), page_texts.of_staff_later(language)
    rest = {k for k in catalogue(language) if k.startswith(page_texts.SERVER_ONLY)}
    assert {*now, *later} == set(catalogue(language)) - rest
    assert not now.keys() & later.keys()


def test_the_vendored_library_is_the_one_described():
    described = (STATIC / "js" / "lib" / "VENDOR.md").read_text("utf-8")
    found = re.search(r"sha256 `([0-9a-f]{64})`", described)
    assert found is not None
    library = (STATIC / "js" / "lib" / "preact.js").read_bytes()
    assert hashlib.sha256(library).hexdigest() == found.group(1)
