"""The page that is printed for the diary: a head of the log where no computer reaches it."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from string import Template

from telecare.audit.note import Checkpoint, Note, VerifierKey
from telecare.integrity import program
from telecare.integrity.witness_store import Cosignature
from telecare.runtime.clock import STOCKHOLM
from telecare.runtime.qr import qr_path
from telecare.runtime.texts import text

PAGE = Template("""<!doctype html>
<html lang="$lang"><head><meta charset="utf-8"><title>$title</title><style>
body { font: 12pt/1.5 sans-serif; margin: 2cm; max-width: 17cm; }
dt { font-weight: bold; } dd { margin: 0 0 .6em; } dd, pre { overflow-wrap: anywhere; }
pre { white-space: pre-wrap; font-size: 9pt; } svg { width: 6cm; height: 6cm; }
.hand { border-top: 1px solid; margin-top: 2cm; width: 8cm; }
</style></head><body><h1>$title: $municipality</h1><p>$about</p><dl>$rows</dl>
<h2>$text_title</h2><pre>$note</pre>
<svg viewBox="-4 -4 $side $side" role="img" aria-label="QR"><path d="$qr"/></svg>
<p class="hand">$hand</p></body></html>
""")
QUIET_ZONE = 4
"""ISO/IEC 18004 §6.3.8: modules left white on each side."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What is printed: the head as the log signed it, and what witnesses have signed of it."""

    municipality: str
    log: int
    note: Note
    key: VerifierKey
    signed_at: datetime
    witnesses: Sequence[Cosignature]


def page(given: Printed, language: str) -> str:
    """HTML, with nothing in it that is fetched."""

    def t(key: str, **values: str) -> str:
        return escape(text(language, key, **values))

    head = Checkpoint.parse(given.note.text)
    seen = [
        t("log_page.seen", witness=one.witness.partition("+")[0], when=_local(one.seen_at))
        for one in given.witnesses
    ]
    rows = [
        (t("log_page.origin"), escape(head.origin)),
        (t("log_page.size"), str(head.size)),
        (t("log_page.root"), base64.b64encode(head.root).decode()),
        (t("log_page.signed"), _local(given.signed_at)),
        (t("log_page.key"), given.key.fingerprint),
        (t("log_page.program"), program.digest()),
        (t("log_page.witnesses"), "<br>".join(seen) or t("log_page.unseen")),
    ]
    code = qr_path(str(given.note))
    return PAGE.substitute(
        lang=language,
        title=t("log_page.title"),
        municipality=escape(given.municipality),
        about=t("log_page.about"),
        rows="".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows),
        text_title=t("log_page.text"),
        note=escape(str(given.note)),
        side=code.size + 2 * QUIET_ZONE,
        qr=code.path,
        hand=t("log_page.hand"),
    )


def _local(at: datetime) -> str:
    return f"{at.astimezone(STOCKHOLM):%Y-%m-%d %H:%M}"
