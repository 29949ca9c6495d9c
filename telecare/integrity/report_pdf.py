"""The report as PDF, large enough to read. The only user of reportlab; slow: never on the loop."""

import io
import unicodedata
from functools import cache
from html import escape
from importlib.resources import as_file, files

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_LEFT, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from telecare.integrity.report import Day, Report, Row

Cell = Flowable | list[Flowable]
INK, SOFT, LINE = HexColor("#14212b"), HexColor("#455560"), HexColor("#c3ccc9")
REGULAR, BOLD = "telecare-regular", "telecare-bold"
IN_BOLD, IN_SOFT = ("title", "head", "strong"), ("quiet", "number")
MARGIN = 2 * cm
WIDTH = A4[0] - 2 * MARGIN
FACTS = (5 * cm, WIDTH - 5 * cm)
ROW = (1.6 * cm, WIDTH - 3.2 * cm, 1.6 * cm)


def _style(name: str, size: float, **more: float) -> ParagraphStyle:
    font = BOLD if name in IN_BOLD else REGULAR
    colour = SOFT if name in IN_SOFT else INK
    style = ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.35)
    style.textColor = colour
    style.spaceBefore, style.spaceAfter = more.get("before", 0), more.get("after", 0)
    style.alignment = TA_RIGHT if name == "number" else TA_LEFT
    return style


TITLE = _style("title", 22, after=8)
HEAD = _style("head", 15, before=14, after=4)
TEXT = _style("text", 12, after=6)
SAID = _style("said", 12)
STRONG = _style("strong", 12)
QUIET = _style("quiet", 11)
NUMBER = _style("number", 11)


def document(report: Report) -> bytes:
    """The same report is the same bytes."""
    _fonts()
    output = io.BytesIO()
    made = BaseDocTemplate(
        output, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN,
        bottomMargin=MARGIN, title=report.title, author="Telecare", lang=report.language,
        invariant=1,
    )  # fmt: skip
    frame = Frame(MARGIN, MARGIN, WIDTH, A4[1] - 2 * MARGIN, 0, 0, 0, 0)

    def foot(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setFont(REGULAR, 10)
        canvas.setFillColor(SOFT)
        said = report.page_of.replace("{page}", str(canvas.getPageNumber()))
        canvas.drawString(MARGIN, MARGIN / 2, _drawn(said, REGULAR))

    made.addPageTemplates([PageTemplate(frames=[frame], onPage=foot)])
    made.build(_story(report))
    return output.getvalue()


def _story(report: Report) -> list[Flowable]:
    proves, checks = report.heads
    facts: list[list[Cell]] = [[_p(name, QUIET), _p(value, STRONG)] for name, value in report.facts]
    return [
        _p(report.title, TITLE),
        _p(report.lead, TEXT),
        _table(facts, FACTS),
        *(one for day in report.days for one in _day(day)),
        _p(proves, HEAD),
        *(_p(one, TEXT) for one in report.proves),
        _p(checks, HEAD),
        *(_p(one, TEXT) for one in report.checks),
    ]


def _day(day: Day) -> list[Flowable]:
    rows = [_row(one) for one in day.rows]
    return [KeepTogether([_p(day.name, HEAD), rows[0]]), *rows[1:], Spacer(1, 6)]


def _row(row: Row) -> Flowable:
    said: list[Flowable] = [_p(row.what, STRONG)]
    said += [_p(one, SAID) for one in (row.who, row.why) if one]
    said += [_p(one, QUIET) for one in row.notes]
    return _table([[_p(row.time, SAID), said, _p(str(row.number), NUMBER)]], ROW, line=True)


def _table(rows: list[list[Cell]], widths: tuple[float, ...], *, line: bool = False) -> Table:
    style = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    if line:
        style.add("LINEABOVE", (0, 0), (-1, 0), 0.5, LINE)
    return Table(rows, colWidths=widths, style=style, hAlign="LEFT")


def _p(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_drawn(text, style.fontName)), style)


def _drawn(text: str, font: str) -> str:
    """With letters that the font has: a plainer one for one that it has not. The page in HTML, made
    of the same texts, shows them all.
    """
    known = _fonts()[font].face.charToGlyph
    drawn = ""
    for letter in text:
        plain = unicodedata.normalize("NFKD", letter)[:1]
        drawn += next((one for one in (letter, plain) if ord(one) in known), "?")
    return drawn


@cache
def _fonts() -> dict[str, TTFont]:
    made = {}
    for name, weight in ((REGULAR, "regular"), (BOLD, "bold")):
        file = files("telecare.integrity") / "fonts" / f"atkinson-hyperlegible-next-{weight}.ttf"
        with as_file(file) as path:
            made[name] = TTFont(name, str(path))
        pdfmetrics.registerFont(made[name])
    return made
