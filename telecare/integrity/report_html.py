"""The report as a page: one file, nothing in it that is fetched, readable on paper too."""

from collections.abc import Iterable
from html import escape
from string import Template

from telecare.integrity.report import Day, Report, Row

PAGE = Template("""<!doctype html>
<html lang="$lang"><head><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body { font: 1.125rem/1.5 sans-serif; color: #14212b; background: #fff; margin: 0 auto;
  max-width: 46rem; padding: 1.5rem; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; line-height: 1.2; } h2 { font-size: 1.35rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1.15rem; margin: 1.6rem 0 .3rem; }
dl { display: grid; grid-template-columns: minmax(8rem, 1fr) 2fr; gap: .3rem 1rem; }
dt { color: #455560; } dd { margin: 0; font-weight: 600; }
ol { list-style: none; margin: 0; padding: 0; }
li { display: grid; grid-template-columns: 4rem 1fr 4rem; gap: 0 .8rem; padding: .6rem 0;
  border-top: 1px solid #c3ccc9; break-inside: avoid; }
li time { font-variant-numeric: tabular-nums; } li b { display: block; }
li span { display: block; } li i { display: block; font-style: normal; color: #455560; }
li .nr { text-align: right; color: #455560; font-variant-numeric: tabular-nums; }
@media (max-width: 32rem) { body { padding: 1rem; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; } }
@media print { body { font-size: 12pt; padding: 0; max-width: none; } }
</style></head><body><main><h1>$title</h1><p>$lead</p><dl>$facts</dl>
$days
<h2>$proves_head</h2>$proves
<h2>$checks_head</h2>$checks
</main></body></html>
""")


def page(report: Report) -> str:
    proves, checks = report.heads
    return PAGE.substitute(
        lang=report.language,
        title=escape(report.title),
        lead=escape(report.lead),
        facts="".join(
            f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in report.facts
        ),
        days="\n".join(_day(one) for one in report.days),
        proves_head=escape(proves),
        proves=_paragraphs(report.proves),
        checks_head=escape(checks),
        checks=_paragraphs(report.checks),
    )


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{escape(one)}</p>" for one in texts)


def _day(day: Day) -> str:
    return f"<h2>{escape(day.name)}</h2><ol>{''.join(_row(one) for one in day.rows)}</ol>"


def _row(row: Row) -> str:
    said = f"<b>{escape(row.what)}</b>"
    said += "".join(f"<span>{escape(one)}</span>" for one in (row.who, row.why) if one)
    said += "".join(f"<i>{escape(one)}</i>" for one in row.notes)
    number = f'<span class="nr">{row.number}</span>'
    return f"<li><time>{escape(row.time)}</time><div>{said}</div>{number}</li>"
