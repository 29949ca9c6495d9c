"""What runs on a television may use nothing newer than Chromium 79 knows."""

import re
from pathlib import Path

import pytest

from .source import STATIC, own_scripts

SCRIPTS = [
    *own_scripts("core", "tv"),
    STATIC / "js" / "lib" / "preact.js",
    STATIC / "page-worker.js",
]
TOO_NEW = {
    "optional chaining": r"\?\.(?!\d)",
    "nullish coalescing": r"\?\?",
    "logical assignment": r"(\|\||&&)=",
    "private member": r"(this\.#|^\s+#\w+\s*[=(;])",
    "class field": r"^class [^{]*\{\n(?:  [^\n]*\n)*?  (static )?\w+( = [^=>][^\n]*)?;$",
    "static block": r"\bstatic \{",
    "numeric separator": r"\b\d+_\d",
    "big integer": r"\b\d+n\b(?![\w-])",
    "top-level await": r"^await\b",
    "import map": r"importmap",
    "replaceAll, at, structuredClone, randomUUID": (
        r"\.replaceAll\(|\.at\(|structuredClone|randomUUID|Object\.hasOwn|\.findLast\("
    ),
}
STYLES = [
    STATIC / "css" / name for name in ("tokens.css", "tv.css", "tv-pairing.css", "tv-write.css")
]
TOO_NEW_STYLES = {
    "gap outside grid": r"(?<![-\w])(row-|column-)?gap\s*:",
    "inset": r"(?<![-\w])inset(-\w+)?\s*:",
    "aspect-ratio": r"aspect-ratio",
    "has, is, where": r":(has|is|where)\(",
    "clamp, min, max": r"(?<![-\w])(clamp|min|max)\(",
    "dynamic viewport": r"\d[dsl]v[hw]\b",
    "nesting, layers, containers": r"@layer|@container|&\s*[.:]",
    "colour functions": r"oklch|color-mix|oklab",
}


def code(path: Path) -> str:
    """The source without comments: they may say what they like."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"(?m)(?<![:\"'`])//.*$", "", text)


@pytest.mark.parametrize("what", TOO_NEW)
def test_scripts_of_the_television(what: str):
    using = [p.name for p in SCRIPTS if re.search(TOO_NEW[what], code(p), re.MULTILINE)]
    assert using == []


@pytest.mark.parametrize("what", TOO_NEW_STYLES)
def test_styles_of_the_television(what: str):
    assert [p.name for p in STYLES if re.search(TOO_NEW_STYLES[what], code(p))] == []


def test_the_rules_would_find_what_they_forbid():
    assert re.search(TOO_NEW["optional chaining"], "a?.b")
    assert not re.search(TOO_NEW["optional chaining"], "a?.5:1")
    assert re.search(TOO_NEW["nullish coalescing"], "a ?? b")
    assert re.search(TOO_NEW_STYLES["gap outside grid"], "{ gap: 1rem }")
    assert not re.search(TOO_NEW_STYLES["gap outside grid"], "{ grid-gap: 1rem; --gap: 1px }")
